package org.tpforward.it.link;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * A private OpenSSH server on a loopback port; this user may log in with {@link #allow}ed keys, and
 * finds an empty home directory.
 */
final class Sshd implements Door {
  private static final Path PROGRAM = Path.of("/usr/sbin/sshd");

  private final Path directory;
  private final List<String> hostKeys;
  private int port;
  private @Nullable Process process;
  private @Nullable Thread reader;
  private final List<String> log = new ArrayList<>();

  private Sshd(Path directory, List<String> hostKeys, int port) {
    this.directory = directory;
    this.hostKeys = hostKeys;
    this.port = port;
  }

  /** With an Ed25519 host key. */
  static Sshd start(Path directory, String... config) throws IOException, InterruptedException {
    return start(directory, List.of("ed25519"), config);
  }

  static Sshd start(Path directory, List<String> keyTypes, String... config)
      throws IOException, InterruptedException {
    if (!Files.isExecutable(PROGRAM)) {
      throw new IOException("sshd is not installed (Debian: openssh-server)");
    }
    Files.createDirectories(directory);
    if (System.getProperty("user.name").equals("root")) {
      Files.createDirectories(Path.of("/run/sshd"));
    }
    for (String type : keyTypes) {
      Path key = directory.resolve("host_" + type);
      if (!Files.exists(key)) {
        Programs.key(key, type);
      }
    }
    Sshd sshd = new Sshd(directory, keyTypes, 0);
    sshd.restart(config);
    return sshd;
  }

  /** Starts it again, on the same port if it had one. */
  void restart(String... config) throws IOException, InterruptedException {
    close();
    if (port == 0) {
      try (ServerSocket free = new ServerSocket(0, 1, InetAddress.ofLiteral("127.0.0.1"))) {
        port = free.getLocalPort();
      }
    }
    List<String> lines = new ArrayList<>(List.of(config));
    lines.add("ListenAddress 127.0.0.1");
    lines.add("Port " + port);
    for (String type : hostKeys) {
      lines.add("HostKey " + hostKey(type));
    }
    // The start-up files of whoever runs the tests are none of their business.
    lines.add("SetEnv HOME=" + Files.createDirectories(directory.resolve("home")));
    lines.add("PidFile none");
    lines.add("AuthorizedKeysFile " + directory.resolve("authorized_keys"));
    lines.add("PermitRootLogin yes");
    lines.add("StrictModes no");
    lines.add("UsePAM no");
    lines.add("PasswordAuthentication no");
    lines.add("KbdInteractiveAuthentication no");
    lines.add("LogLevel DEBUG1");
    Path file = directory.resolve("sshd_config");
    Files.write(file, lines);
    Process started =
        new ProcessBuilder(PROGRAM.toString(), "-D", "-e", "-f", file.toString())
            .redirectErrorStream(true)
            .start();
    process = started;
    BufferedReader out =
        new BufferedReader(new InputStreamReader(started.getInputStream(), StandardCharsets.UTF_8));
    String line = out.readLine();
    while (line != null && !line.contains("Server listening")) {
      note(line);
      line = out.readLine();
    }
    if (line == null) {
      throw new IOException("sshd did not start: " + log());
    }
    reader = Thread.ofVirtual().start(() -> drain(out));
  }

  private void drain(BufferedReader out) {
    try (out) {
      String line = out.readLine();
      while (line != null) {
        note(line);
        line = out.readLine();
      }
    } catch (IOException e) {
      note("the log ends: " + e);
    }
  }

  private synchronized void note(String line) {
    log.add(line);
    notifyAll();
  }

  synchronized String log() {
    return String.join("\n", log);
  }

  private synchronized long occurrences(String text) {
    return log.stream().filter(line -> line.contains(text)).count();
  }

  /** Waits until so many lines of the log hold the text. */
  synchronized void awaitLog(String text, int times) throws InterruptedException {
    while (occurrences(text) < times) {
      wait();
    }
  }

  @Override
  public int port() {
    return port;
  }

  Path hostKey(String type) {
    return directory.resolve("host_" + type);
  }

  @Override
  public void authorize(String line) throws IOException {
    Files.writeString(
        directory.resolve("authorized_keys"),
        line + "\n",
        java.nio.file.StandardOpenOption.CREATE,
        java.nio.file.StandardOpenOption.APPEND);
  }

  @Override
  public String knownHost(String type) throws IOException {
    return "[127.0.0.1]:" + port + " " + Programs.typeAndKey(hostKey(type)) + "\n";
  }

  /** The processes that serve connections. */
  List<ProcessHandle> connections() {
    return Objects.requireNonNull(process).descendants().filter(p -> isSshd(p)).toList();
  }

  private static boolean isSshd(ProcessHandle process) {
    return process.info().command().filter(c -> c.contains("sshd")).isPresent();
  }

  /** Ends the server and all its connections. */
  @Override
  public void close() throws IOException {
    Process running = process;
    Thread drain = reader;
    if (running == null || drain == null) {
      return;
    }
    List<ProcessHandle> all = running.descendants().toList();
    // Not by Process, which would close the stream that is still read.
    running.toHandle().destroy();
    all.forEach(ProcessHandle::destroyForcibly);
    running.onExit().join();
    all.forEach(p -> p.onExit().join());
    try {
      drain.join();
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }
}
