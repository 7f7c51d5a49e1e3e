package org.tpforward.loopback;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.security.SecureRandom;
import java.util.HashSet;
import java.util.HexFormat;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * Where the CM's Unix sockets are, and their names. Everybody may search it, as gabble's. One of
 * its own, in the temporary directory, is there only as long as sockets are, so that a CM that is
 * killed leaves as little as possible. Thread-safe.
 */
final class SocketDirectory implements AutoCloseable {
  private static final SecureRandom RANDOM = new SecureRandom();

  private final @Nullable Path wanted;
  private final Set<Path> paths = new HashSet<>();
  private @Nullable Path own;

  private SocketDirectory(@Nullable Path wanted) {
    this.wanted = wanted;
  }

  /** Uses that directory, made if it is missing, or temporary ones. */
  static SocketDirectory open(@Nullable Path wanted) throws IOException {
    return new SocketDirectory(
        wanted == null ? null : Files.createDirectories(wanted).toAbsolutePath());
  }

  /** A name that nothing has. */
  static String randomName() {
    byte[] bytes = new byte[8];
    RANDOM.nextBytes(bytes);
    return HexFormat.of().formatHex(bytes);
  }

  /** A path for a new socket. */
  synchronized Path newPath() throws IOException {
    Path path = directory().resolve("loopback-" + randomName());
    paths.add(path);
    return path;
  }

  private Path directory() throws IOException {
    if (wanted != null) {
      return wanted;
    }
    Path directory = own;
    if (directory == null) {
      directory = Files.createTempDirectory("loopback-cm");
      Files.setPosixFilePermissions(directory, PosixFilePermissions.fromString("rwxr-xr-x"));
      own = directory;
    }
    return directory;
  }

  /** Removes a socket. */
  synchronized void remove(Path path) throws IOException {
    Files.deleteIfExists(path);
    paths.remove(path);
    if (paths.isEmpty() && own != null) {
      Files.deleteIfExists(own);
      own = null;
    }
  }

  /** Removes what is left of the sockets. */
  @Override
  public void close() throws IOException {
    for (Path path : open()) {
      remove(path);
    }
  }

  private synchronized Set<Path> open() {
    return Set.copyOf(paths);
  }
}
