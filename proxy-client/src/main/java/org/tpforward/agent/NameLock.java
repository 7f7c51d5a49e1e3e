package org.tpforward.agent;

import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.channels.FileLock;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.BasicFileAttributes;
import java.util.HashSet;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * The lock on an agent's name. The kernel frees it when the process ends, however it ends.
 *
 * <p>It is a POSIX lock, and those have two traps. A process loses one by closing <em>any</em>
 * descriptor of the file, so nothing here opens a file that this process has locked. And the file
 * may be removed between another process's open and its lock, so that two processes hold locks on
 * two files of one name: only a lock on the file that still has the name counts.
 */
final class NameLock implements AutoCloseable {
  /** The lock files of this process. */
  private static final Set<Path> HELD = new HashSet<>();

  private final Path file;
  private final FileChannel channel;

  private NameLock(Path file, FileChannel channel) {
    this.file = file;
    this.channel = channel;
  }

  /**
   * Takes the lock if it is free.
   *
   * @param file in a directory of our own; made if it is not there
   * @return null if another process, or another part of this one, has it
   * @throws NoSuchFileException if the directory, or the file, was removed meanwhile: try again
   */
  static @Nullable NameLock tryLock(Path file) throws IOException {
    synchronized (HELD) {
      if (!HELD.add(file)) {
        return null;
      }
    }
    NameLock lock = null;
    try {
      lock = lock(file);
      return lock;
    } finally {
      if (lock == null) {
        forget(file);
      }
    }
  }

  private static @Nullable NameLock lock(Path file) throws IOException {
    try {
      Files.createFile(file);
    } catch (FileAlreadyExistsException e) {
      // Left by a dead agent, or in use: the lock tells.
    }
    Object before = identity(file);
    FileChannel channel =
        FileChannel.open(file, StandardOpenOption.WRITE, LinkOption.NOFOLLOW_LINKS);
    boolean taken = false;
    try {
      FileLock lock = channel.tryLock();
      if (lock == null) {
        return null;
      }
      if (!before.equals(identity(file))) {
        throw new NoSuchFileException(file.toString());
      }
      taken = true;
      return new NameLock(file, channel);
    } finally {
      if (!taken) {
        channel.close();
      }
    }
  }

  private static Object identity(Path file) throws IOException {
    Object key =
        Files.readAttributes(file, BasicFileAttributes.class, LinkOption.NOFOLLOW_LINKS).fileKey();
    if (key == null) {
      throw new IOException(file + ": its file system has no inode numbers");
    }
    return key;
  }

  /** Frees the lock. The file stays, unless the holder has removed it. */
  @Override
  public void close() throws IOException {
    try {
      channel.close();
    } finally {
      forget(file);
    }
  }

  private static void forget(Path file) {
    synchronized (HELD) {
      HELD.remove(file);
    }
  }
}
