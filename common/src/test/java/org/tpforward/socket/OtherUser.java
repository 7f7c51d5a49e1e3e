package org.tpforward.socket;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.regex.Pattern;
import java.util.stream.Stream;

/**
 * A program run by another user, for real: a JVM of its own under {@code setpriv}. It says what
 * happened in lines on its standard output, which are the events that a test waits for.
 */
final class OtherUser implements AutoCloseable {
  /** Any user but the one who runs the tests; it needs no entry in the user database. */
  static final int UID = 12345;

  static final int GID = 12346;

  /** The libraries that org.tpforward.socket uses. */
  private static final Pattern NEEDED = Pattern.compile("junixsocket|slf4j-|guava|failureaccess");

  private final Process process;
  private final BufferedReader output;

  private OtherUser(Process process) {
    this.process = process;
    this.output = process.inputReader(StandardCharsets.UTF_8);
  }

  /**
   * Starts it.
   *
   * @param dir a directory that other users can reach; takes a copy of the classes
   * @param command what {@link Program} understands
   */
  static OtherUser start(Path dir, String... command) throws IOException {
    List<String> line =
        new ArrayList<>(
            List.of("setpriv", "--reuid=" + UID, "--regid=" + GID, "--clear-groups", "--"));
    line.addAll(
        List.of(
            Path.of(System.getProperty("java.home"), "bin", "java").toString(),
            "-XX:TieredStopAtLevel=1",
            "-XX:+UseSerialGC",
            "-Dorg.newsclub.net.unix.library.tmpdir=" + writable(dir),
            "--enable-native-access=ALL-UNNAMED",
            "-cp",
            classPath(dir),
            Program.class.getName()));
    line.addAll(List.of(command));
    try {
      return new OtherUser(
          new ProcessBuilder(line)
              .directory(dir.toFile())
              .redirectError(ProcessBuilder.Redirect.INHERIT)
              .start());
    } catch (IOException e) {
      throw new IOException("install util-linux: these tests need its setpriv", e);
    }
  }

  /** The next line that it prints; null when it has ended. */
  String line() throws IOException {
    String line = output.readLine();
    if (line == null) {
      throw new IOException(
          "the other user's program ended, see its errors above; setpriv needs root (or a user"
              + " namespace with subordinate ids)");
    }
    return line;
  }

  @Override
  public void close() {
    process.destroyForcibly();
    process.onExit().join();
  }

  /** Opens every directory on the way, below the temporary one, to other users. */
  static Path open(Path dir) throws IOException {
    Files.setPosixFilePermissions(dir, PosixFilePermissions.fromString("rwxr-xr-x"));
    return dir;
  }

  private static Path writable(Path dir) throws IOException {
    Path tmp = Files.createDirectories(dir.resolve("tmp"));
    Files.setPosixFilePermissions(tmp, PosixFilePermissions.fromString("rwxrwxrwx"));
    return tmp;
  }

  /** The home of Maven's repository may be closed to others: so copies. */
  private static String classPath(Path dir) throws IOException {
    Path copy = dir.resolve("classes");
    List<String> jars = new ArrayList<>(List.of(copy.toString()));
    boolean fresh = !Files.exists(copy);
    for (String entry : System.getProperty("java.class.path").split(":", -1)) {
      Path path = Path.of(entry);
      if (Files.isDirectory(path)) {
        if (fresh) {
          copyTree(path.resolve("org/tpforward/socket"), copy.resolve("org/tpforward/socket"));
          copyTree(path.resolve("org/tpforward/relay"), copy.resolve("org/tpforward/relay"));
        }
      } else if (NEEDED.matcher(path.getFileName().toString()).lookingAt()) {
        Path jar = dir.resolve(path.getFileName());
        if (!Files.exists(jar)) {
          Files.copy(path, jar);
        }
        jars.add(jar.toString());
      }
    }
    return String.join(":", jars);
  }

  private static void copyTree(Path from, Path to) throws IOException {
    if (!Files.isDirectory(from)) {
      return;
    }
    Files.createDirectories(to);
    try (Stream<Path> files = Files.list(from)) {
      files
          .filter(file -> file.toString().endsWith(".class"))
          .forEach(file -> {
            try {
              Files.copy(file, to.resolve(file.getFileName()), StandardCopyOption.REPLACE_EXISTING);
            } catch (IOException e) {
              throw new UncheckedIOException(e);
            }
          });
    }
  }

  /** What runs as the other user. */
  static final class Program {
    private Program() {}

    public static void main(String[] args) throws Exception {
      switch (args[0]) {
        case "connect" -> connect(endpoint(args[1]));
        case "byte" -> sendByte(endpoint(args[1]), Integer.parseInt(args[2]));
        case "listen" -> listen(endpoint(args[1]));
        default -> throw new IllegalArgumentException(args[0]);
      }
    }

    private static void connect(Endpoint where) throws IOException {
      try (Connection connection = Connection.connect(where)) {
        say("connected");
        sayHowItEnds(connection);
      }
    }

    private static void sendByte(Endpoint where, int value) throws IOException {
      try (Connection connection = TelepathySockets.connectWithByte(where, value)) {
        say("sent " + ProcessHandle.current().pid());
        sayHowItEnds(connection);
      }
    }

    private static void sayHowItEnds(Connection connection) {
      try {
        say(connection.read(ByteBuffer.allocate(1)) < 0 ? "ended" : "got data");
      } catch (IOException e) {
        say("reset");
      }
    }

    private static void listen(Endpoint where) throws IOException {
      try (Listener listener = Listener.open(where)) {
        say(listener.endpoint().toString());
        try (Connection connection = listener.accept()) {
          PeerCredentials peer = PeerCredentials.of(connection);
          say("uid " + peer.uid() + " allowed " + AllowedUids.own().allows(peer));
        }
      }
    }

    private static void say(String line) {
      System.out.println(line);
      System.out.flush();
    }

    /** The endpoint that prints itself like this. */
    static Endpoint endpoint(String text) throws IOException {
      if (text.startsWith("unix:@")) {
        return new Endpoint.UnixAbstract(text.substring(6));
      }
      if (text.startsWith("unix:")) {
        return new Endpoint.UnixPath(text.substring(5));
      }
      int colon = text.lastIndexOf(':');
      String host = text.substring(0, colon).replace("[", "").replace("]", "");
      return new Endpoint.Ip(
          java.net.InetAddress.ofLiteral(host), Integer.parseInt(text.substring(colon + 1)));
    }
  }

  /** How long a test waits for what must come; never how long it takes. */
  static final Duration PATIENCE = Duration.ofSeconds(30);
}
