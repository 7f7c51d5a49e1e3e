package org.tpforward.loopback;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.concurrent.TimeUnit;

/** A real dbus-daemon of this test's own, and the loopback CM in this process on it. */
final class PrivateDaemon implements AutoCloseable {
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
      </busconfig>
      """;

  private final Path directory;
  private final Process process;

  private PrivateDaemon(Path directory, Process process) {
    this.directory = directory;
    this.process = process;
  }

  /** Starts the daemon alone; services are looked for in {@code directory/services}. */
  static PrivateDaemon start(Path directory) throws IOException {
    Files.createDirectories(directory.resolve("services"));
    Path config = directory.resolve("bus.conf");
    Files.writeString(config, CONFIG.replace("@DIR@", directory.toString()));
    Process process =
        new ProcessBuilder(
                "dbus-daemon",
                "--config-file=" + config,
                "--nofork",
                "--nopidfile",
                "--print-address=1")
            .redirectError(ProcessBuilder.Redirect.INHERIT)
            .start();
    try (BufferedReader said = process.inputReader()) {
      if (said.readLine() == null) {
        throw new IOException("dbus-daemon did not start; is dbus-daemon installed?");
      }
    }
    return new PrivateDaemon(directory, process);
  }

  String address() {
    return "unix:path=" + directory.resolve("bus");
  }

  Path socket() {
    return directory.resolve("bus");
  }

  Path services() {
    return directory.resolve("services");
  }

  /** Where the CM of {@link #startCm} has its sockets. */
  Path sockets() {
    return directory.resolve("sockets");
  }

  /** Serves the CM from a thread of this process, until the bus ends. */
  void startCm(Profile profile) throws Exception {
    Bus bus = Bus.connect(address());
    new Manager(bus, profile, SocketDirectory.open(sockets())).export();
    bus.requestName(Names.CM_NAME);
    Thread.ofPlatform().daemon().name("loopback-cm").start(bus::run);
  }

  @Override
  public void close() {
    process.destroy();
    try {
      if (!process.waitFor(10, TimeUnit.SECONDS)) {
        process.destroyForcibly();
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new UncheckedIOException(new IOException(e));
    }
  }
}
