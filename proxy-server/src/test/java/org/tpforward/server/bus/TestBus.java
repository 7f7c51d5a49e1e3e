package org.tpforward.server.bus;

import java.io.BufferedReader;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.tpforward.socket.Endpoint;

/** A real dbus-daemon of a test's own, which could start two services. */
final class TestBus implements AutoCloseable {
  static final String STARTABLE = "org.freedesktop.Telepathy.ConnectionManager.startable";
  static final String HIDDEN_STARTABLE = "com.example.Startable";

  private final Process daemon;
  private final Path socket;

  TestBus(Path directory) throws IOException {
    socket = directory.resolve("bus");
    Path services = Files.createDirectories(directory.resolve("services"));
    for (String name : List.of(STARTABLE, HIDDEN_STARTABLE)) {
      Files.writeString(
          services.resolve(name + ".service"),
          "[D-BUS Service]\nName=" + name + "\nExec=/bin/false\n");
    }
    Path config = directory.resolve("bus.conf");
    Files.writeString(
        config,
        """
        <!DOCTYPE busconfig PUBLIC "-//freedesktop//DTD D-Bus Bus Configuration 1.0//EN"
          "http://www.freedesktop.org/standards/dbus/1.0/busconfig.dtd">
        <busconfig>
          <type>session</type>
          <listen>unix:path=%s</listen>
          <servicedir>%s</servicedir>
          <auth>EXTERNAL</auth>
          <limit name="max_replies_per_connection">50000</limit>
          <limit name="max_connections_per_user">1000</limit>
          <limit name="max_outgoing_bytes">268435456</limit>
          <limit name="max_incoming_bytes">268435456</limit>
          <policy context="default">
            <allow send_destination="*" eavesdrop="true"/>
            <allow eavesdrop="true"/>
            <allow own="*"/>
          </policy>
        </busconfig>
        """
            .formatted(socket, services));
    try {
      daemon =
          new ProcessBuilder(
                  "dbus-daemon", "--config-file=" + config, "--nofork", "--print-address")
              .redirectError(ProcessBuilder.Redirect.INHERIT)
              .start();
    } catch (IOException e) {
      throw new IOException("this test needs dbus-daemon: apt-get install dbus-daemon", e);
    }
    try (BufferedReader out = daemon.inputReader(StandardCharsets.UTF_8)) {
      if (out.readLine() == null) {
        throw new IOException("dbus-daemon did not start");
      }
    }
  }

  Endpoint endpoint() {
    return new Endpoint.UnixPath(socket.toString());
  }

  /** Runs a D-Bus program on the bus at {@code address}; what it wrote. */
  static String run(String address, List<String> command) throws Exception {
    ProcessBuilder builder = new ProcessBuilder(command).redirectErrorStream(true);
    builder.environment().put("DBUS_SESSION_BUS_ADDRESS", address);
    Process process = builder.start();
    process.getOutputStream().close();
    String output = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
    process.waitFor();
    return output;
  }

  @Override
  public void close() {
    daemon.destroy();
  }
}
