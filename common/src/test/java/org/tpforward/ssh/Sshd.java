package org.tpforward.ssh;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.Writer;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;

/**
 * A real OpenSSH server on a loopback port, with a configuration, keys and a directory of its own.
 */
final class Sshd implements AutoCloseable {
  private static final String PROGRAM = "/usr/sbin/sshd";

  private final Path directory;
  private final int port;
  private final Process process;

  /**
   * @param directory for its files; the caller removes it
   * @param extra lines of sshd_config
   */
  Sshd(Path directory, String... extra) throws IOException, InterruptedException {
    if (!Files.isExecutable(Path.of(PROGRAM))) {
      throw new AssertionError("this test needs OpenSSH's server: apt-get install openssh-server");
    }
    this.directory = directory;
    if (System.getProperty("user.name").equals("root")) {
      // Privilege separation wants it; the service would have made it.
      Files.createDirectories(Path.of("/run/sshd"));
    }
    run("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", directory.resolve("host").toString());
    run("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", clientKey().toString());
    try (ServerSocket probe = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
      port = probe.getLocalPort();
    }
    Path config = directory.resolve("sshd_config");
    Files.write(
        config,
        Stream.concat(
                Stream.of(
                    "ListenAddress 127.0.0.1:" + port,
                    "HostKey " + directory.resolve("host"),
                    "AuthorizedKeysFile " + directory.resolve("client.pub"),
                    "PidFile none",
                    "UsePAM no",
                    "StrictModes no",
                    "PermitRootLogin yes",
                    "MaxStartups 100",
                    "MaxSessions 200",
                    "LogLevel VERBOSE"),
                Stream.of(extra))
            .toList());
    process = new ProcessBuilder(PROGRAM, "-D", "-e", "-f", config.toString()).start();
    awaitListening();
  }

  private void awaitListening() throws IOException {
    BufferedReader log =
        new BufferedReader(new InputStreamReader(process.getErrorStream(), StandardCharsets.UTF_8));
    StringBuilder said = new StringBuilder();
    for (String line = log.readLine(); line != null; line = log.readLine()) {
      said.append(line).append('\n');
      if (line.startsWith("Server listening on")) {
        Thread.ofVirtual().start(() -> copyLog(log));
        return;
      }
    }
    throw new AssertionError("sshd did not start: " + said);
  }

  private void copyLog(BufferedReader log) {
    try (Writer copy = Files.newBufferedWriter(directory.resolve("sshd.log"))) {
      log.transferTo(copy);
    } catch (IOException e) {
      // The end of the process, or of the test's directory.
    }
  }

  int port() {
    return port;
  }

  Path clientKey() {
    return directory.resolve("client");
  }

  /** Ends the server and, hard, each process that serves a connection. */
  @Override
  public void close() {
    List<ProcessHandle> all =
        Stream.concat(process.descendants(), Stream.of(process.toHandle())).toList();
    all.forEach(ProcessHandle::destroyForcibly);
    process.onExit().join();
  }

  /** Has the connections answer nothing any more (SIGSTOP). */
  void stopConnections() throws IOException, InterruptedException {
    // What only authenticated may be gone before the signal comes; it does not matter then.
    Process kill =
        new ProcessBuilder(
                Stream.concat(
                        Stream.of("kill", "-STOP"),
                        process.descendants().map(serving -> Long.toString(serving.pid())))
                    .toList())
            .redirectErrorStream(true)
            .redirectOutput(ProcessBuilder.Redirect.DISCARD)
            .start();
    kill.waitFor();
  }

  /** Kills what serves the connections, and not the server itself. */
  void killConnections() {
    process.descendants().forEach(ProcessHandle::destroyForcibly);
  }

  private static void run(String... command) throws IOException, InterruptedException {
    Process tool =
        new ProcessBuilder(command)
            .redirectErrorStream(true)
            .redirectOutput(ProcessBuilder.Redirect.DISCARD)
            .start();
    if (tool.waitFor() != 0) {
      throw new AssertionError(String.join(" ", command) + " failed");
    }
  }
}
