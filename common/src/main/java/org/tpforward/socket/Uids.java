package org.tpforward.socket;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.FileSystems;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.UserPrincipal;

/** Numbers of users. */
final class Uids {
  private static final Path SELF = Path.of("/proc/self");

  private Uids() {}

  /** This process's effective uid. */
  static long own() {
    try {
      return ((Integer) Files.getAttribute(SELF, "unix:uid")).longValue();
    } catch (IOException e) {
      throw new UncheckedIOException("/proc is needed to know this process's own uid", e);
    }
  }

  /**
   * The number behind a principal of the JDK, which compares numbers and shows names.
   *
   * @return {@link PeerCredentials#NOBODY} where no number can be shown to be the principal's
   */
  static long of(UserPrincipal principal) throws IOException {
    if (principal.equals(Files.getOwner(SELF))) {
      return own();
    }
    String name = principal.getName();
    long uid = name.matches("[0-9]{1,10}") ? Long.parseLong(name) : Libc.uidOf(name);
    if (uid < 0) {
      return PeerCredentials.NOBODY;
    }
    // Two users of one name, or a user whose name is a number, must not be taken for each other.
    UserPrincipal check =
        FileSystems.getDefault()
            .getUserPrincipalLookupService()
            .lookupPrincipalByName(Long.toString(uid));
    return principal.equals(check) ? uid : PeerCredentials.NOBODY;
  }
}
