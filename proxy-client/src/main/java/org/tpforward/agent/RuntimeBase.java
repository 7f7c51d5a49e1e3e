package org.tpforward.agent;

import java.io.IOException;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.Files;
import java.nio.file.InvalidPathException;
import java.nio.file.LinkOption;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermission;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.EnumSet;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * Where the directories of agents lie: {@code $XDG_RUNTIME_DIR/tpforward}. Whoever could change
 * something there could take a socket's place, so each level is checked before it is trusted.
 */
public final class RuntimeBase {
  /** The variable of the XDG base directory specification. */
  public static final String VARIABLE = "XDG_RUNTIME_DIR";

  static final String OWN = "rwx------";
  static final String SHARED = "rwx--x--x";

  private static final int STICKY = 01000;
  private static final int WRITABLE_BY_OTHERS = 0022;

  private RuntimeBase() {}

  /**
   * Finds and checks the directory; without the variable it is below {@code /run/user/UID}, where
   * systemd makes it.
   *
   * @param environment of the process
   * @return an absolute path, which need not exist yet
   * @throws AgentException with {@link ExitCode#RUNTIME_DIRECTORY}, saying what to change
   */
  public static Path find(Map<String, String> environment) throws AgentException {
    return find(environment, Path.of("/run/user"));
  }

  static Path find(Map<String, String> environment, Path systemd) throws AgentException {
    String value = environment.get(VARIABLE);
    long uid = ownUid();
    if (value == null || value.isEmpty()) {
      Path usual = systemd.resolve(Long.toString(uid));
      if (problem(usual, uid, STICKY) != null) {
        throw unusable(
            VARIABLE
                + " is not set, and "
                + usual
                + " is no directory of yours; set it to a directory of yours with mode 0700");
      }
      return usual.resolve("tpforward");
    }
    Path parent;
    try {
      parent = Path.of(value);
    } catch (InvalidPathException e) {
      throw unusable(VARIABLE + " is no path");
    }
    String problem =
        parent.isAbsolute()
            ? problem(parent, uid, STICKY)
            : "is not an absolute path; give it in full";
    if (problem != null) {
      throw unusable(VARIABLE + "=" + parent + " " + problem);
    }
    return parent.normalize().resolve("tpforward");
  }

  /**
   * What is wrong with a directory that only its owner may change.
   *
   * @param uid who has to own it
   * @param excuse mode bits of which one makes up for others' right to write
   * @return null if it is fine; else a few words that follow its path
   */
  static @Nullable String problem(Path path, long uid, int excuse) {
    Map<String, Object> found;
    try {
      found = Files.readAttributes(path, "unix:mode,uid,isDirectory", LinkOption.NOFOLLOW_LINKS);
    } catch (NoSuchFileException e) {
      return "does not exist; create it with mode 0700";
    } catch (IOException e) {
      return "cannot be looked at (" + e.getMessage() + ")";
    }
    if (Files.isSymbolicLink(path)) {
      return "is a symbolic link; name the directory itself";
    }
    if (!Boolean.TRUE.equals(found.get("isDirectory"))) {
      return "is no directory";
    }
    long owner = Integer.toUnsignedLong((Integer) found.getOrDefault("uid", -1));
    if (owner != uid) {
      return "belongs to uid " + owner + ", and this is uid " + uid;
    }
    int mode = (Integer) found.getOrDefault("mode", -1);
    if ((mode & WRITABLE_BY_OTHERS) != 0 && (mode & excuse) == 0) {
      return String.format("can be changed by others (mode %04o); chmod 700 it", mode & 07777);
    }
    return null;
  }

  /**
   * Makes a directory, or takes one that is there and fine.
   *
   * @param shared whether others may pass through it to a socket whose name they know
   */
  static void make(Path directory, boolean shared) throws IOException, AgentException {
    if (!Files.exists(directory, LinkOption.NOFOLLOW_LINKS)) {
      try {
        Files.createDirectory(
            directory, PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString(OWN)));
      } catch (FileAlreadyExistsException e) {
        // Another start was quicker; it is checked like any other.
      }
    }
    String problem = problem(directory, ownUid(), 0);
    if (problem != null) {
      throw unusable(directory + " " + problem);
    }
    if (shared) {
      Set<PosixFilePermission> wanted =
          EnumSet.copyOf(Files.getPosixFilePermissions(directory, LinkOption.NOFOLLOW_LINKS));
      wanted.addAll(PosixFilePermissions.fromString(SHARED));
      Files.setPosixFilePermissions(directory, wanted);
    }
  }

  /** The uid of this process, 0 to 2^32-2. */
  static long ownUid() {
    try {
      return Integer.toUnsignedLong(
          (Integer) Files.getAttribute(Path.of("/proc/self"), "unix:uid"));
    } catch (IOException e) {
      throw new IllegalStateException("/proc is needed to know one's own uid", e);
    }
  }

  static AgentException unusable(String line) {
    return new AgentException(ExitCode.RUNTIME_DIRECTORY, line);
  }
}
