package org.tpforward.agent;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.security.SecureRandom;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The directory of one running agent, {@code $XDG_RUNTIME_DIR/tpforward/NAME}: it holds the agent's
 * sockets, and stands for its name. Whoever holds the lock in it owns everything in it.
 *
 * <pre>
 * lock     locked for as long as the agent lives
 * pid      its process, in decimal
 * bus      the bus socket
 * control  for list, status, stop
 * log      of an agent in the background
 * f/       sockets of files and tubes
 * </pre>
 *
 * All methods are for any number of threads.
 */
public final class RuntimeDirectory implements AutoCloseable {
  /** Bytes of a Unix socket's path without the NUL at its end (sys/un.h). */
  public static final int MAX_SOCKET_PATH = 107;

  private static final Logger LOG = LoggerFactory.getLogger(RuntimeDirectory.class);
  private static final String SOCKETS = "f";
  private static final int SOCKET_NAME = 8;
  private static final String ALPHABET = "abcdefghijklmnopqrstuvwxyz0123456789";

  /** How often a start tries to get a lock that nobody living seems to hold. */
  private static final int TRIES = 100;

  private static final int PAUSE_MILLIS = 20;

  private final Path path;
  private final NameLock lock;
  private final SecureRandom random = new SecureRandom();
  private boolean closed;

  private RuntimeDirectory(Path path, NameLock lock) {
    this.path = path;
    this.lock = lock;
  }

  /**
   * Takes a name: makes its directory, locks it, and removes what a dead agent left there, and in
   * the directories of other dead agents.
   *
   * @param base from {@link RuntimeBase#find}
   * @param name see {@link AgentName}
   * @param shared whether other users may pass through to sockets in it; they also need the right
   *     to enter {@code base}
   * @throws AgentException with {@link ExitCode#RUNTIME_DIRECTORY} if the name is in use, or the
   *     directory unusable
   */
  public static RuntimeDirectory claim(Path base, String name, boolean shared)
      throws AgentException {
    String problem = AgentName.problem(name);
    if (problem != null) {
      throw new AgentException(ExitCode.USAGE, "\"" + name + "\": " + problem);
    }
    Path path = base.resolve(name);
    int longest = Leftovers.bytes(path.resolve(SOCKETS).resolve("x".repeat(SOCKET_NAME)));
    if (longest > MAX_SOCKET_PATH) {
      throw RuntimeBase.unusable(
          path
              + " is too long for sockets in it, by "
              + (longest - MAX_SOCKET_PATH)
              + " bytes; set "
              + RuntimeBase.VARIABLE
              + " to a shorter path, or use a shorter --name");
    }
    try {
      RuntimeDirectory directory = claim(base, path, name, shared);
      Leftovers.sweep(base, path);
      return directory;
    } catch (IOException e) {
      throw new AgentException(
          ExitCode.RUNTIME_DIRECTORY, path + " cannot be used: " + reason(e), e);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new AgentException(ExitCode.RUNTIME_DIRECTORY, path + ": interrupted", e);
    }
  }

  private static RuntimeDirectory claim(Path base, Path path, String name, boolean shared)
      throws IOException, AgentException, InterruptedException {
    for (int i = 0; i < TRIES; i++) {
      try {
        RuntimeBase.make(base, shared);
        RuntimeBase.make(path, shared);
        NameLock lock = NameLock.tryLock(path.resolve("lock"));
        if (lock != null) {
          return take(path, name, shared, lock);
        }
      } catch (NoSuchFileException e) {
        // An agent that ended has removed it under our hands.
        continue;
      }
      Long holder = Leftovers.pid(path);
      if (holder != null && Leftovers.alive(holder)) {
        throw inUse(name, " (pid " + holder + ")");
      }
      // Somebody who is just starting, or ending, or sweeping.
      Thread.sleep(PAUSE_MILLIS);
    }
    throw inUse(name, "");
  }

  private static RuntimeDirectory take(Path path, String name, boolean shared, NameLock lock)
      throws IOException, AgentException {
    boolean done = false;
    try {
      if (Leftovers.somebodyListens(path)) {
        // A lock that was lost, on a file system without them: its sockets are still a living
        // one's.
        throw inUse(name, "");
      }
      Leftovers.removeContents(path);
      Files.writeString(path.resolve("pid"), ProcessHandle.current().pid() + "\n");
      String mode = shared ? RuntimeBase.SHARED : RuntimeBase.OWN;
      Files.setPosixFilePermissions(path, PosixFilePermissions.fromString(mode));
      RuntimeBase.make(path.resolve(SOCKETS), shared);
      done = true;
      return new RuntimeDirectory(path, lock);
    } finally {
      if (!done) {
        lock.close();
      }
    }
  }

  private static AgentException inUse(String name, String who) {
    return RuntimeBase.unusable(
        "an agent named \""
            + name
            + "\" runs already"
            + who
            + "; give this one another --name, or end that one: tpforward stop "
            + name);
  }

  private static String reason(IOException e) {
    String message = e.getMessage();
    String kind = e.getClass().getSimpleName().replace("Exception", "");
    return message == null ? kind : message + " (" + kind + ")";
  }

  /** The agent's name. */
  public String name() {
    return String.valueOf(path.getFileName());
  }

  /** The directory itself. */
  public Path path() {
    return path;
  }

  /** The bus socket. */
  public Path bus() {
    return path.resolve("bus");
  }

  /** The socket for list, status and stop. */
  public Path control() {
    return path.resolve("control");
  }

  /** What an agent in the background has to say. */
  public Path log() {
    return path.resolve("log");
  }

  /** Where {@link #socket} lies. */
  public Path sockets() {
    return path.resolve(SOCKETS);
  }

  /** A path for a new socket, which nobody could have guessed and nothing has yet. */
  public Path socket() {
    while (true) {
      StringBuilder name = new StringBuilder(SOCKET_NAME);
      for (int i = 0; i < SOCKET_NAME; i++) {
        name.append(ALPHABET.charAt(random.nextInt(ALPHABET.length())));
      }
      Path socket = sockets().resolve(name.toString());
      if (!Files.exists(socket, LinkOption.NOFOLLOW_LINKS)) {
        return socket;
      }
    }
  }

  /** Removes the directory and everything in it, and gives the name back. Idempotent. */
  @Override
  public void close() {
    synchronized (this) {
      if (closed) {
        return;
      }
      closed = true;
    }
    try (lock) {
      Leftovers.remove(path);
    } catch (IOException e) {
      LOG.warn("{} was not removed: {}", path, reason(e));
    }
    Leftovers.removeIfEmpty(path.getParent());
  }
}
