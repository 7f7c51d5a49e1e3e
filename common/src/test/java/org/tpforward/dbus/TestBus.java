package org.tpforward.dbus;

import java.io.BufferedReader;
import java.io.IOException;
import java.net.UnixDomainSocketAddress;
import java.nio.channels.SocketChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/** A real dbus-daemon of the test's own, in a directory of its own. */
final class TestBus implements AutoCloseable {
  private static final String CONFIG =
      """
      <!DOCTYPE busconfig PUBLIC "-//freedesktop//DTD D-Bus Bus Configuration 1.0//EN"
       "http://www.freedesktop.org/standards/dbus/1.0/busconfig.dtd">
      <busconfig>
        <type>session</type>
        <listen>unix:path=SOCKET</listen>
        <auth>EXTERNAL</auth>
        <policy context="default">
          <allow send_destination="*" eavesdrop="true"/>
          <allow eavesdrop="true"/>
          <allow own="*"/>
        </policy>
      </busconfig>
      """;

  private final Process daemon;
  final Path socket;

  TestBus(Path directory) throws IOException {
    socket = directory.resolve("bus");
    Path config = directory.resolve("bus.conf");
    Files.writeString(config, CONFIG.replace("SOCKET", socket.toString()));
    daemon =
        start(
            "dbus-daemon",
            List.of("--config-file=" + config, "--nofork", "--nopidfile", "--print-address"),
            "");
    BufferedReader reader = daemon.inputReader(StandardCharsets.UTF_8);
    String line = reader.readLine(); // printed once it listens
    if (line == null) {
      throw new IllegalStateException("dbus-daemon did not start");
    }
  }

  String address() {
    return "unix:path=" + socket;
  }

  SocketChannel connect() throws IOException {
    return SocketChannel.open(UnixDomainSocketAddress.of(socket));
  }

  /** What a program printed, and how it ended. */
  record Ran(int status, String output) {}

  /** Runs a client, which finds this bus as the session's, to its end. */
  Ran run(String program, String... args) throws Exception {
    Process process = start(program, List.of(args), address());
    String output = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
    return new Ran(process.waitFor(), output);
  }

  /** Starts a program, or says what to install. */
  static Process start(String program, List<String> args, String sessionBus) throws IOException {
    List<String> command = new ArrayList<>(List.of(program));
    command.addAll(args);
    ProcessBuilder builder = new ProcessBuilder(command).redirectErrorStream(true);
    builder.environment().put("DBUS_SESSION_BUS_ADDRESS", sessionBus);
    try {
      return builder.start();
    } catch (IOException e) {
      String debianPackage =
          switch (program) {
            case "gdbus" -> "libglib2.0-bin";
            case "busctl" -> "systemd";
            default -> "dbus";
          };
      throw new IOException(program + " is missing: install " + debianPackage, e);
    }
  }

  /** Our own, which is what these programs tell a server. */
  static long uid() throws IOException {
    return ((Number) Files.getAttribute(Path.of("/proc/self"), "unix:uid")).longValue();
  }

  void kill() {
    daemon.destroyForcibly();
    daemon.onExit().join();
  }

  @Override
  public void close() {
    kill();
  }
}
