package org.tpforward.socket;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.UserPrincipal;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Numbers of users and groups: 0 to 4294967294. */
final class Uids {
  /** The number that stands for "no change" or "none" wherever a uid_t is passed. */
  static final long NONE = 0xffff_ffffL;

  private static final Logger log = LoggerFactory.getLogger(Uids.class);

  private Uids() {}

  /** The effective uid of this process, from /proc/self/status (proc(5)). */
  static long own() {
    // Not the owner of /proc/self: that is root for a process that may not be traced.
    try {
      for (String line : Files.readAllLines(Path.of("/proc/self/status"))) {
        if (line.startsWith("Uid:")) {
          return Long.parseLong(line.split("\\s+", 4)[2]); // real, effective, saved, file system
        }
      }
    } catch (IOException e) {
      throw new UncheckedIOException("/proc is needed to know this process's own uid", e);
    }
    throw new IllegalStateException("no uid in /proc/self/status");
  }

  /**
   * The number behind a principal of the JDK, user or group.
   *
   * <p>Its name is no help: it comes from the user database, where two users may share a name and a
   * name may look like another's number. What the JDK compares, and gives as hash code, is the
   * kernel's number itself. That is tried first on files whose owners are known as numbers; where
   * it does not hold, nobody is let in.
   *
   * @throws IOException if this Java runtime is not made like that
   */
  static long of(UserPrincipal principal) throws IOException {
    if (!HashIsId.HOLDS) {
      throw new IOException("this Java runtime does not tell the user ids of Unix sockets");
    }
    return Integer.toUnsignedLong(principal.hashCode());
  }

  /** Whether the JDK's principals are what {@link #of} takes them for. */
  private static final class HashIsId {
    static final boolean HOLDS = holdsFor("/") && holdsFor("/proc/self");

    private static boolean holdsFor(String file) {
      Path path = Path.of(file);
      try {
        return Files.getOwner(path).hashCode() == (Integer) Files.getAttribute(path, "unix:uid")
            && Files.getAttribute(path, "unix:group").hashCode()
                == (Integer) Files.getAttribute(path, "unix:gid");
      } catch (IOException | RuntimeException e) {
        log.warn("the owner of {} cannot be told: {}", file, e.toString());
        return false;
      }
    }
  }
}
