package org.tpforward.loopback;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.security.SecureRandom;
import java.util.HexFormat;
import org.jspecify.annotations.Nullable;

/** Where the CM's Unix sockets are, and their names. Everybody may search it, as gabble's. */
final class SocketDirectory implements AutoCloseable {
  private static final SecureRandom RANDOM = new SecureRandom();

  private final Path directory;
  private final boolean own;

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
    return directory.resolve("loopback-" + randomName());
  }

  @Override
  public void close() throws IOException {
    if (own) {
      try (var files = Files.list(directory)) {
        for (Path file : files.toList()) {
          Files.deleteIfExists(file);
        }
      }
      Files.deleteIfExists(directory);
    }
  }
}
