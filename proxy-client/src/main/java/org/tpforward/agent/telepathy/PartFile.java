package org.tpforward.agent.telepathy;

import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HashSet;
import java.util.HexFormat;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * A file that is being received: {@code NAME.IDENTITY.part}, until it is complete and gets its
 * name. The identity is a digest of what the offer says, so that only the same file is resumed.
 * Locked, so that two receivers never write to one.
 */
final class PartFile implements AutoCloseable {
  private static final int IDENTITY_DIGITS = 8;

  /** Files of one name, or transfers of one file at once; more are somebody's mistake. */
  private static final int MAX_NUMBER = 10_000;

  /** The parts of this process: a POSIX lock keeps out others only. */
  private static final Set<Path> OPEN = new HashSet<>();

  private final Path path;
  private final Path directory;
  private final String name;
  private final FileChannel channel;
  private boolean finished;

  private PartFile(Path path, Path directory, String name, FileChannel channel) {
    this.path = path;
    this.directory = directory;
    this.name = name;
    this.channel = channel;
  }

  /**
   * Opens the part of a file, new or left by an earlier try.
   *
   * @param name a safe one
   * @param offer all that tells this file from another
   */
  static PartFile open(Path directory, String name, String offer) throws IOException {
    String identity = identity(offer);
    for (int n = 0; n < MAX_NUMBER; n++) {
      Path path = directory.resolve(name + "." + identity + (n == 0 ? "" : "-" + n) + ".part");
      synchronized (OPEN) {
        if (!OPEN.add(path)) {
          continue;
        }
      }
      FileChannel channel = null;
      try {
        channel = lock(path);
      } finally {
        if (channel == null) {
          forget(path);
        }
      }
      if (channel != null) {
        return new PartFile(path, directory, name, channel);
      }
    }
    throw new IOException("too many transfers of " + name + " at once");
  }

  private static @Nullable FileChannel lock(Path path) throws IOException {
    try {
      Files.createFile(path);
    } catch (FileAlreadyExistsException e) {
      // Left by an earlier try, or in use: the lock tells.
    }
    Object before = inode(path);
    FileChannel channel =
        FileChannel.open(
            path, StandardOpenOption.READ, StandardOpenOption.WRITE, LinkOption.NOFOLLOW_LINKS);
    boolean ours = false;
    try {
      // Another receiver may have given the file its name between our open and our lock.
      ours = channel.tryLock() != null && before.equals(inode(path));
      return ours ? channel : null;
    } catch (NoSuchFileException e) {
      return null;
    } finally {
      if (!ours) {
        channel.close();
      }
    }
  }

  private static Object inode(Path path) throws IOException {
    return Files.getAttribute(path, "unix:ino", LinkOption.NOFOLLOW_LINKS);
  }

  private static String identity(String offer) {
    try {
      byte[] digest =
          MessageDigest.getInstance("SHA-256").digest(offer.getBytes(StandardCharsets.UTF_8));
      return HexFormat.of().formatHex(digest).substring(0, IDENTITY_DIGITS);
    } catch (NoSuchAlgorithmException e) {
      throw new IllegalStateException("every Java has SHA-256", e);
    }
  }

  /** Where the bytes go; positioned by the caller. */
  FileChannel channel() {
    return channel;
  }

  /** Its file, for messages. */
  Path path() {
    return path;
  }

  /**
   * Gives the file its name, or the next one that is free; once this returns it is on the disk.
   *
   * @return the file
   */
  Path finish() throws IOException {
    channel.force(true);
    for (int n = 0; n < MAX_NUMBER; n++) {
      Path target = directory.resolve(SafeName.numbered(name, n));
      try {
        // Takes the name without a chance for anybody else; the part then takes its place.
        Files.createFile(target);
      } catch (FileAlreadyExistsException e) {
        continue;
      }
      Files.move(path, target, StandardCopyOption.ATOMIC_MOVE);
      finished = true;
      try (FileChannel entries = FileChannel.open(directory, StandardOpenOption.READ)) {
        entries.force(true);
      }
      return target;
    }
    throw new IOException("no name is free for " + name);
  }

  /** Throws the part away: it is not what was offered. */
  void discard() throws IOException {
    finished = true;
    Files.deleteIfExists(path);
  }

  /** Keeps what was received, for a later try; nothing, if nothing was. */
  @Override
  public void close() throws IOException {
    try (channel) {
      if (!finished && channel.size() == 0) {
        Files.deleteIfExists(path);
      }
    } finally {
      forget(path);
    }
  }

  private static void forget(Path path) {
    synchronized (OPEN) {
      OPEN.remove(path);
    }
  }
}
