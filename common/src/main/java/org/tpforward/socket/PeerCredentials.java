package org.tpforward.socket;

import java.io.IOException;
import java.util.OptionalLong;
import jdk.net.ExtendedSocketOptions;
import jdk.net.UnixDomainPrincipal;
import org.newsclub.net.unix.AFUNIXSocketCredentials;

/**
 * Who is at the other end of a local connection, as the kernel knows it.
 *
 * @param uid the user's number, 0 to 4294967294, as this process's user namespace sees it; or
 *     {@link #NOBODY} where the kernel names none
 * @param gid the group's number, or {@link #UNKNOWN}
 * @param pid the process's, or {@link #UNKNOWN}
 */
public record PeerCredentials(long uid, long gid, long pid) {
  /** In the place of a uid: the kernel names nobody, and so nobody is let in. */
  public static final long NOBODY = -1;

  /** In the place of a gid or pid that this kind of socket does not tell. */
  public static final long UNKNOWN = -1;

  private static final PeerCredentials NOT_KNOWN = new PeerCredentials(NOBODY, UNKNOWN, UNKNOWN);

  /**
   * Asks the kernel; nothing is read from the connection.
   *
   * <p>For a Unix socket SO_PEERCRED: who connected (for a client: who listens), at that moment,
   * even if the socket was handed on since. For loopback TCP the owner of the connecting socket in
   * {@code /proc/net/tcp} and {@code tcp6}; a socket that no process holds any more is nobody's.
   *
   * @throws IOException if that cannot be found out; then nobody should be let in
   */
  public static PeerCredentials of(Connection connection) throws IOException {
    Endpoint.Ip remote = connection.remote();
    Endpoint.Ip local = connection.local();
    if (remote != null && local != null) {
      OptionalLong owner = ProcNetTcp.owner(remote, local);
      return owner.isPresent()
          ? new PeerCredentials(owner.getAsLong(), UNKNOWN, UNKNOWN)
          : NOT_KNOWN;
    }
    AFUNIXSocketCredentials credentials = connection.nativeCredentials();
    if (credentials == null) {
      int[] ucred = connection.peer();
      if (ucred != null) {
        return of(ucred[1] & Uids.NONE, ucred[2] & Uids.NONE, UNKNOWN);
      }
      UnixDomainPrincipal principal =
          connection.channel().getOption(ExtendedSocketOptions.SO_PEERCRED);
      return of(Uids.of(principal.user()), Uids.of(principal.group()), UNKNOWN);
    }
    return credentials.isEmpty()
        ? NOT_KNOWN
        : of(
            credentials.getUid() & Uids.NONE,
            credentials.getGid() & Uids.NONE,
            credentials.getPid() > 0 ? credentials.getPid() : UNKNOWN);
  }

  private static PeerCredentials of(long uid, long gid, long pid) {
    return uid == Uids.NONE ? NOT_KNOWN : new PeerCredentials(uid, gid, pid);
  }

  /** Whether the kernel named somebody. */
  public boolean isKnown() {
    return uid >= 0;
  }

  @Override
  public String toString() {
    String user = isKnown() ? "uid " + uid : "an unknown user";
    return pid == UNKNOWN ? user : user + " (pid " + pid + ")";
  }
}
