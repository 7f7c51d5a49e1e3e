package org.tpforward.it;

import org.tpforward.harness.Login;

/** The loopback CM as a user has it who has installed it: what {@code --spawn-bus} can start. */
final class Managers {
  static final String NAME = "org.freedesktop.Telepathy.ConnectionManager.loopback";

  private static final String PATH = "/" + NAME.replace('.', '/');

  private Managers() {}

  /** Installs it for the user whose bus knows it. */
  static void install(Login serv) {
    serv.run("mkdir", "-p", ".local/share/dbus-1/services").ok();
    String installed = serv.runtimeDir() + "/services/*.service";
    serv.run("sh", "-c", "cp " + installed + " .local/share/dbus-1/services/").ok();
  }

  /** Has it started on a bus, where it is not yet, and answer. */
  static String protocols(Login bus) {
    return bus.run(
            "gdbus",
            "call",
            "--session",
            "--dest",
            NAME,
            "--object-path",
            PATH,
            "--method",
            "org.freedesktop.Telepathy.ConnectionManager.ListProtocols")
        .ok()
        .out();
  }
}
