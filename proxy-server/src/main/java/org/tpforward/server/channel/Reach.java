package org.tpforward.server.channel;

import java.io.IOException;
import java.time.Duration;
import org.tpforward.relay.Duplex;
import org.tpforward.server.bus.Grant;
import org.tpforward.socket.Connection;
import org.tpforward.socket.Endpoint;
import org.tpforward.socket.PeerCredentials;
import org.tpforward.telepathy.AccessControl;

/**
 * Connects to a socket that a CM handed out, and makes sure of who listens there. A path may lead
 * elsewhere by the time of the connect, and a CM may name a socket that is not its own: the kernel
 * is asked about the very socket that is connected, so neither leads to another process.
 */
final class Reach {
  /** Somebody else listens there, or connects: it is none of the user's. */
  static final class WrongPeerException extends IOException {
    private static final long serialVersionUID = 1L;

    WrongPeerException(String message) {
      super(message);
    }
  }

  private static final Duration TIMEOUT = Duration.ofSeconds(10);

  private Reach() {}

  /**
   * Connects.
   *
   * @throws WrongPeerException if the process that owns the CM's name is not who listens
   * @throws IOException if nobody does
   */
  static Duplex to(Grant grant) throws IOException {
    if (grant.endpoint() instanceof Endpoint.Ip ip) {
      Connection connection = Connection.connect(ip, TIMEOUT);
      return checked(connection, grant, TcpOwner.of(ip));
    }
    // Not the JDK's channel: it does not tell the process, nor have a descriptor.
    Connection connection = Connection.connectForCredentials(grant.endpoint(), TIMEOUT);
    Duplex far = checked(connection, grant, PeerCredentials.of(connection));
    return grant.access() == AccessControl.CREDENTIALS ? new FirstByteAlone(connection) : far;
  }

  /** The connection, if that is whose it must be; otherwise it is closed. */
  static Duplex checked(Connection connection, Grant grant, PeerCredentials peer)
      throws WrongPeerException {
    String wrong = wrong(grant, peer);
    if (wrong != null) {
      connection.reset();
      throw new WrongPeerException(grant.endpoint() + " belongs to " + wrong);
    }
    return connection;
  }

  /** Who it is instead of the CM; null if it is the CM. */
  private static @org.jspecify.annotations.Nullable String wrong(Grant grant, PeerCredentials peer) {
    boolean same =
        peer.isKnown()
            && peer.uid() == grant.uid()
            && (peer.pid() == PeerCredentials.UNKNOWN || peer.pid() == grant.pid());
    return same
        ? null
        : peer + ", and not to " + new PeerCredentials(grant.uid(), -1, grant.pid());
  }
}
