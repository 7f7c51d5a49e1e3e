package org.tpforward.socket;

import java.io.IOException;

/**
 * Who is at the other end of a local connection, as the kernel knows it.
 *
 * @param uid the user's number, or {@link #NOBODY} where the kernel does not say
 */
public record PeerCredentials(long uid) {
  /** In the place of a uid: the kernel names nobody, and so nobody is let in. */
  public static final long NOBODY = -1;

  /**
   * Asks the kernel: SO_PEERCRED for a Unix socket (who connected), the owner of the connecting
   * socket in {@code /proc/net/tcp} and {@code tcp6} for loopback TCP.
   *
   * @throws IOException if that cannot be read; then nobody should be let in
   */
  public static PeerCredentials of(Connection connection) throws IOException {
    return new PeerCredentials(connection.peerUid());
  }

  /** Whether the kernel named somebody. */
  public boolean isKnown() {
    return uid >= 0;
  }

  @Override
  public String toString() {
    return isKnown() ? "uid " + uid : "an unknown user";
  }
}
