package org.tpforward.agent;

import java.io.IOException;
import java.net.StandardProtocolFamily;
import java.net.UnixDomainSocketAddress;
import java.nio.channels.SocketChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.DirectoryIteratorException;
import java.nio.file.DirectoryNotEmptyException;
import java.nio.file.DirectoryStream;
import java.nio.file.FileVisitResult;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.SimpleFileVisitor;
import java.nio.file.attribute.BasicFileAttributes;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** What dead agents left, and how to tell them from living ones. */
final class Leftovers {
  private static final Logger LOG = LoggerFactory.getLogger(Leftovers.class);
  private static final String LOCK = "lock";
  private static final int MAX_PID_FILE = 32;

  private Leftovers() {}

  /** Removes the directories of other agents whose processes are gone. Never fails. */
  static void sweep(Path base, Path own) {
    try (DirectoryStream<Path> directories = Files.newDirectoryStream(base)) {
      for (Path directory : directories) {
        if (!directory.equals(own)) {
          sweep(directory);
        }
      }
    } catch (IOException | DirectoryIteratorException e) {
      LOG.debug("Looking for what dead agents left failed", e);
    }
  }

  private static void sweep(Path directory) throws IOException {
    Long pid = pid(directory);
    if (pid == null
        || alive(pid)
        || RuntimeBase.problem(directory, RuntimeBase.ownUid(), 0) != null) {
      return;
    }
    try (NameLock lock = NameLock.tryLock(directory.resolve(LOCK))) {
      if (lock != null && !somebodyListens(directory)) {
        LOG.info("Removing what the dead agent {} left", directory.getFileName());
        remove(directory);
      }
    } catch (NoSuchFileException e) {
      // Somebody else has done it.
    }
  }

  /** The process that a directory names; null if it names none. */
  static @Nullable Long pid(Path directory) {
    Path file = directory.resolve("pid");
    try {
      if (!Files.isRegularFile(file, LinkOption.NOFOLLOW_LINKS)
          || Files.size(file) > MAX_PID_FILE) {
        return null;
      }
      return Long.valueOf(Files.readString(file).strip());
    } catch (IOException | NumberFormatException e) {
      return null;
    }
  }

  /** Whether a process lives. One that has ended, and waits for its parent to notice, does not. */
  static boolean alive(long pid) {
    try {
      String stat = Files.readString(Path.of("/proc/" + pid + "/stat"));
      // proc_pid_stat(5): pid, (name), state; the name may hold anything.
      String state = stat.substring(stat.lastIndexOf(')') + 1).strip();
      return !state.startsWith("Z") && !state.startsWith("X");
    } catch (IOException e) {
      return false;
    }
  }

  /** Whether a process answers at the bus or the control socket. */
  static boolean somebodyListens(Path directory) {
    for (String name : List.of("bus", "control")) {
      Path socket = directory.resolve(name);
      if (!Files.exists(socket, LinkOption.NOFOLLOW_LINKS)) {
        continue;
      }
      try (SocketChannel channel = SocketChannel.open(StandardProtocolFamily.UNIX)) {
        channel.connect(UnixDomainSocketAddress.of(socket));
        return true;
      } catch (IOException e) {
        // Refused: nobody.
      }
    }
    return false;
  }

  /** Removes what is in a directory except its lock. To be called by the lock's holder. */
  static void removeContents(Path directory) throws IOException {
    Files.walkFileTree(
        directory,
        new SimpleFileVisitor<>() {
          @Override
          public FileVisitResult visitFile(Path file, BasicFileAttributes attributes)
              throws IOException {
            if (!file.equals(directory.resolve(LOCK))) {
              Files.deleteIfExists(file);
            }
            return FileVisitResult.CONTINUE;
          }

          @Override
          public FileVisitResult postVisitDirectory(Path visited, @Nullable IOException e)
              throws IOException {
            if (e != null) {
              throw e;
            }
            if (!visited.equals(directory)) {
              Files.deleteIfExists(visited);
            }
            return FileVisitResult.CONTINUE;
          }
        });
  }

  /** Removes a directory, its lock last. To be called by the lock's holder. */
  static void remove(Path directory) throws IOException {
    removeContents(directory);
    Files.deleteIfExists(directory.resolve(LOCK));
    removeIfEmpty(directory);
  }

  /** Removes a directory unless another start has put something into it by now. */
  static void removeIfEmpty(@Nullable Path directory) {
    try {
      if (directory != null) {
        Files.deleteIfExists(directory);
      }
    } catch (DirectoryNotEmptyException e) {
      // Then it is in use.
    } catch (IOException e) {
      LOG.debug("{} was not removed", directory, e);
    }
  }

  static int bytes(Path path) {
    return path.toString().getBytes(StandardCharsets.UTF_8).length;
  }
}
