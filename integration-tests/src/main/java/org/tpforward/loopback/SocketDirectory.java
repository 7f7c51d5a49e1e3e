package org.tpforward.loopback;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.security.SecureRandom;
import java.util.HexFormat;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import org.jspecify.annotations.Nullable;

/** Where the CM's Unix sockets are, and their names. Everybody may search it, as gabble's. */
final class SocketDirectory implements AutoCloseable {
  private static final SecureRandom RANDOM = new SecureRandom();

  private final Path directory;
  private final boolean own;
  private final Set<Path> paths = ConcurrentHashMap.newKeySet();

  private SocketDirectory(Path directory, boolean own) {
    this.directory = directory;
    this.own = own;
  }

  /** Uses that directory, made if it is missing, or a new temporary one. */
  static SocketDirectory open(@Nullable Path wanted) throws IOException {
    Path directory =
        wanted == null ? Files.createTempDirectory("loopback-cm") : Files.createDirectories(wanted);
    if (wanted == null) {
      Files.setPosixFilePermissions(directory, PosixFilePermissions.fromString("rwxr-xr-x"));
    }
    return new SocketDirectory(directory.toAbsolutePath(), wanted == null);
  }

  /** A name that nothing has. */
  static String randomName() {
    byte[] bytes = new byte[8];
    RANDOM.nextBytes(bytes);
    return HexFormat.of().formatHex(bytes);
  }

  /** A path for a new socket. */
  Path newPath() {
    Path path = directory.resolve("loopback-" + randomName());
    paths.add(path);
    return path;
  }

  /** Removes a socket. */
  void remove(Path path) throws IOException {
    Files.deleteIfExists(path);
    paths.remove(path);
  }

  /** Removes what is left of the sockets, and the directory if it was made for them. */
  @Override
  public void close() throws IOException {
    for (Path path : paths) {
      Files.deleteIfExists(path);
    }
    if (own) {
      Files.deleteIfExists(directory);
    }
  }
}
