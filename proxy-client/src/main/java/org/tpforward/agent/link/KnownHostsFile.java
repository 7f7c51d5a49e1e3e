package org.tpforward.agent.link;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.FileAttribute;
import java.nio.file.attribute.PosixFilePermission;
import java.nio.file.attribute.PosixFilePermissions;
import java.security.SecureRandom;
import java.util.Base64;
import java.util.Locale;
import java.util.Set;

/** Adds hosts to the user's known_hosts file. */
final class KnownHostsFile {
  private static final FileAttribute<Set<PosixFilePermission>> PRIVATE =
      PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rw-------"));
  private static final FileAttribute<Set<PosixFilePermission>> PRIVATE_DIRECTORY =
      PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rwx------"));
  private static final int SALT = 20;

  private KnownHostsFile() {}

  /**
   * Appends one line, in one write. Makes the file and its directory if need be.
   *
   * @param host a name or {@code [name]:port}
   * @param type the key's type
   * @param blob the key in SSH's wire format
   */
  static void append(Path file, String host, boolean hashed, String type, byte[] blob)
      throws IOException {
    Path directory = file.toAbsolutePath().getParent();
    if (directory != null && !Files.exists(directory)) {
      Files.createDirectories(directory, PRIVATE_DIRECTORY);
    }
    String name = host.toLowerCase(Locale.ROOT);
    if (hashed) {
      byte[] salt = new byte[SALT];
      new SecureRandom().nextBytes(salt);
      name = KnownHosts.hashed(name, salt);
    }
    String line = name + " " + type + " " + Base64.getEncoder().encodeToString(blob) + "\n";
    boolean unfinished = lacksLineFeed(file);
    try (FileChannel channel =
        FileChannel.open(
            file, Set.of(StandardOpenOption.CREATE, StandardOpenOption.APPEND), PRIVATE)) {
      channel.write(
          ByteBuffer.wrap(((unfinished ? "\n" : "") + line).getBytes(StandardCharsets.ISO_8859_1)));
    }
  }

  private static boolean lacksLineFeed(Path file) throws IOException {
    if (!Files.isRegularFile(file)) {
      return false;
    }
    try (FileChannel channel = FileChannel.open(file, StandardOpenOption.READ)) {
      ByteBuffer last = ByteBuffer.allocate(1);
      long size = channel.size();
      return size > 0 && channel.read(last, size - 1) == 1 && last.get(0) != '\n';
    }
  }
}
