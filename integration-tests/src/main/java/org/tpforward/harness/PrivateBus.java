package org.tpforward.harness;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.List;

/** A session bus of one user: a real dbus-daemon with services of its own. */
public final class PrivateBus implements AutoCloseable {
  private static final String CM = "org.freedesktop.Telepathy.ConnectionManager.loopback";

  /** A session bus's own limits (dbus-daemon's session.conf), and no services of the machine. */
  private static final String CONFIG =
      """
      <!DOCTYPE busconfig PUBLIC "-//freedesktop//DTD D-Bus Bus Configuration 1.0//EN"
       "http://www.freedesktop.org/standards/dbus/1.0/busconfig.dtd">
      <busconfig>
        <type>session</type>
        <listen>unix:path=@DIR@/bus</listen>
        <auth>EXTERNAL</auth>
        <servicedir>@DIR@/services</servicedir>
        <policy context="default">
          <allow send_destination="*" eavesdrop="true"/>
          <allow eavesdrop="true"/>
          <allow own="*"/>
        </policy>
        <limit name="max_incoming_bytes">1000000000</limit>
        <limit name="max_outgoing_bytes">1000000000</limit>
        <limit name="max_message_size">1000000000</limit>
        <limit name="service_start_timeout">120000</limit>
        <limit name="auth_timeout">240000</limit>
        <limit name="max_completed_connections">100000</limit>
        <limit name="max_incomplete_connections">10000</limit>
        <limit name="max_connections_per_user">100000</limit>
        <limit name="max_pending_service_starts">10000</limit>
        <limit name="max_names_per_connection">50000</limit>
        <limit name="max_match_rules_per_connection">50000</limit>
        <limit name="max_replies_per_connection">50000</limit>
      </busconfig>
      """;

  private final Login login;
  private final Proc daemon;

  private PrivateBus(Login login, Proc daemon) {
    this.login = login;
    this.daemon = daemon;
  }

  /**
   * Starts a bus at the socket where systemd would have put it, $XDG_RUNTIME_DIR/bus, on which the
   * loopback connection manager can be activated.
   *
   * @param cmArguments what the connection manager is started with
   */
  public static PrivateBus start(Login login, String... cmArguments) {
    String directory = login.runtimeDir();
    Path here = login.place().path(directory);
    try {
      Path services = Files.createDirectories(here.resolve("services"));
      Files.setPosixFilePermissions(services, PosixFilePermissions.fromString("rwxr-xr-x"));
      write(here.resolve("bus.conf"), CONFIG.replace("@DIR@", directory));
      Path script = here.resolve("loopback-cm");
      write(script, script(login.place(), cmArguments));
      Files.setPosixFilePermissions(script, PosixFilePermissions.fromString("rwxr-xr-x"));
      write(
          services.resolve(CM + ".service"),
          "[D-BUS Service]\nName=" + CM + "\nExec=" + directory + "/loopback-cm\n");
    } catch (IOException e) {
      throw new HarnessException("cannot write the bus's configuration", e);
    }
    Proc daemon =
        login.start(
            "dbus-daemon",
            "--config-file=" + directory + "/bus.conf",
            "--nofork",
            "--nopidfile",
            "--print-address=1");
    try {
      daemon.awaitLine("^unix:path=");
    } catch (HarnessException e) {
      daemon.close();
      throw e;
    }
    return new PrivateBus(login, daemon);
  }

  private static String script(Place place, String... cmArguments) {
    StringBuilder script = new StringBuilder("#!/bin/sh\nexec ");
    for (String word : Java.command(place, "org.tpforward.loopback.LoopbackCm", cmArguments)) {
      script.append('\'').append(word.replace("'", "'\\''")).append("' ");
    }
    return script.append("\n").toString();
  }

  private static void write(Path path, String text) throws IOException {
    Files.deleteIfExists(path);
    Files.writeString(path, text);
    Files.setPosixFilePermissions(path, PosixFilePermissions.fromString("rw-r--r--"));
  }

  /** The bus's address for programs on its own side. */
  public String address() {
    return "unix:path=" + socket();
  }

  /** The path of its socket on its own side. */
  public String socket() {
    return login.runtimeDir() + "/bus";
  }

  /** Its owner, on it. */
  public Login login() {
    return login.onBus(address());
  }

  /** The daemon, whose output holds what activated services say too. */
  public Proc daemon() {
    return daemon;
  }

  /** Ends the bus, and with it the services that it activated: a bus's end is theirs. */
  @Override
  public void close() {
    List<ProcessHandle> services =
        daemon.handleIfAlive().map(handle -> handle.descendants().toList()).orElse(List.of());
    daemon.close();
    services.forEach(ProcessHandle::destroyForcibly);
  }
}
