package org.tpforward.harness;

import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/**
 * A user at a place, with an environment: what programs are started from.
 *
 * @param place where
 * @param user as whom
 * @param home the working directory too
 * @param runtimeDir XDG_RUNTIME_DIR
 * @param environment the whole environment of programs started
 */
public record Login(
    Place place, User user, String home, String runtimeDir, Map<String, String> environment) {
  public Login {
    environment = Map.copyOf(environment);
  }

  /** A login with the variables that every program may expect. */
  static Login of(Place place, User user, String home, String runtimeDir) {
    return new Login(
        place,
        user,
        home,
        runtimeDir,
        Map.of(
            "HOME",
            home,
            "USER",
            user.name(),
            "LOGNAME",
            user.name(),
            "PATH",
            "/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin",
            "LANG",
            "C.UTF-8",
            "SHELL",
            "/bin/sh",
            "XDG_RUNTIME_DIR",
            runtimeDir,
            "JAVA_HOME",
            place.javaHome(),
            "TPFORWARD_NO_INSTALL",
            "1"));
  }

  /** The same login with one variable more, or another value of it. */
  public Login with(String variable, String value) {
    Map<String, String> changed = new TreeMap<>(environment);
    changed.put(variable, value);
    return new Login(place, user, home, runtimeDir, changed);
  }

  /** The same login on a bus. */
  public Login onBus(String address) {
    return with("DBUS_SESSION_BUS_ADDRESS", address);
  }

  /** Starts a program, its output captured. The caller closes it. */
  public Proc start(String... argv) {
    return Proc.start(List.of(argv), this, false);
  }

  /** Starts a program, its output captured. The caller closes it. */
  public Proc start(List<String> argv) {
    return Proc.start(argv, this, false);
  }

  /** Starts a program that writes to this JVM's own terminal. The caller closes it. */
  public Proc startOnTerminal(List<String> argv) {
    return Proc.start(argv, this, true);
  }

  /** Runs a program to its end and hands back what it said, whatever its exit status. */
  public Proc.Result run(String... argv) {
    return run(List.of(argv));
  }

  /** Runs a program to its end and hands back what it said, whatever its exit status. */
  public Proc.Result run(List<String> argv) {
    try (Proc proc = start(argv)) {
      proc.closeStdin();
      return proc.await();
    }
  }

  /** The command line of {@code tpforward} with arguments. */
  public List<String> tpforward(String... arguments) {
    return tpforward(List.of(arguments));
  }

  /** The command line of {@code tpforward} with arguments. */
  public List<String> tpforward(List<String> arguments) {
    List<String> argv = new java.util.ArrayList<>();
    argv.add(place.program() + "/bin/tpforward");
    argv.addAll(arguments);
    return argv;
  }
}
