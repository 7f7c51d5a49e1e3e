package org.tpforward.server;

import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.channels.FileLock;
import java.nio.channels.OverlappingFileLockException;
import java.nio.charset.StandardCharsets;
import java.nio.file.DirectoryStream;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The private directory in which clients have this server listen: one server's at a time, which a
 * lock makes sure of. What a killed server has left in it is removed at the start of the next.
 */
final class ListenDirectory implements AutoCloseable {
  private static final Logger log = LoggerFactory.getLogger(ListenDirectory.class);
  private static final int LONGEST = 60;
  private static final String LOCK = ".lock";

  private final Path path;
  private final FileChannel channel;

  private ListenDirectory(Path path, FileChannel channel) {
    this.path = path;
    this.channel = channel;
  }

  /**
   * The usual place: {@code $RUNTIME_DIRECTORY} as systemd sets it, or {@code
   * $XDG_RUNTIME_DIR/tpforward-server}, or one under /tmp; one for each port.
   *
   * @param environment of the process
   */
  static Path usual(Map<String, String> environment, int port) {
    String service = environment.get("RUNTIME_DIRECTORY");
    String user = environment.get("XDG_RUNTIME_DIR");
    String name = "tpforward-server-" + port;
    if (service != null && service.startsWith("/")) {
      return Path.of(service.split(":", 2)[0]).resolve(name);
    }
    return user != null && user.startsWith("/")
        ? Path.of(user).resolve(name)
        : Path.of("/tmp", name + "-" + System.getProperty("user.name"));
  }

  /**
   * Takes it: makes it where it is missing.
   *
   * @throws ServerException if another server has it, or others may write it
   */
  static ListenDirectory open(Path path) throws ServerException {
    if (path.toString().getBytes(StandardCharsets.UTF_8).length > LONGEST) {
      throw new ServerException(
          path + " is too long for sockets in it: name a shorter --listen-directory");
    }
    try {
      try {
        Files.createDirectory(
            path,
            PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rwx------")));
      } catch (FileAlreadyExistsException e) {
        checkPrivate(path);
      }
      FileChannel channel =
          FileChannel.open(path.resolve(LOCK), StandardOpenOption.CREATE, StandardOpenOption.WRITE);
      if (lock(channel) == null) {
        channel.close();
        throw new ServerException("another tpforward-server uses " + path);
      }
      ListenDirectory directory = new ListenDirectory(path, channel);
      directory.clear();
      return directory;
    } catch (IOException e) {
      throw new ServerException("cannot use the directory " + path + ": " + e, e);
    }
  }

  private static @Nullable FileLock lock(FileChannel channel) throws IOException {
    try {
      return channel.tryLock();
    } catch (OverlappingFileLockException e) {
      return null;
    }
  }

  private static void checkPrivate(Path path) throws IOException, ServerException {
    boolean own =
        Files.isDirectory(path, LinkOption.NOFOLLOW_LINKS)
            && Files.getOwner(path, LinkOption.NOFOLLOW_LINKS)
                .equals(Files.getOwner(Path.of("/proc/self")));
    String mode =
        PosixFilePermissions.toString(
            Files.getPosixFilePermissions(path, LinkOption.NOFOLLOW_LINKS));
    if (!own || !mode.endsWith("------")) {
      throw new ServerException(
          path + " is not a directory of this user's own with mode 0700: remove it");
    }
  }

  private void clear() throws IOException {
    try (DirectoryStream<Path> entries = Files.newDirectoryStream(path)) {
      for (Path entry : entries) {
        if (!entry.endsWith(LOCK)) {
          Files.delete(entry);
          log.info("removed {}, which an earlier server has left", entry);
        }
      }
    }
  }

  Path path() {
    return path;
  }

  /** Removes it. */
  @Override
  public void close() {
    if (!channel.isOpen()) {
      return;
    }
    try {
      clear();
      Files.deleteIfExists(path.resolve(LOCK));
      Files.deleteIfExists(path);
    } catch (IOException e) {
      log.warn("{} is left: {}", path, e.toString());
    } finally {
      try {
        channel.close();
      } catch (IOException e) {
        log.debug("unlocking {}", path, e);
      }
    }
  }
}
