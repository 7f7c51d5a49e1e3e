package org.tpforward.server.bus;

import java.io.IOException;
import org.tpforward.socket.Connection;
import org.tpforward.socket.Endpoint;
import org.tpforward.socket.PeerCredentials;
import org.tpforward.socket.TcpProcess;
import org.tpforward.telepathy.AccessControl;

/**
 * A socket whose address crossed a user's bus connection, for as long as its channel lives: one
 * that a CM listens on, or one that a client has offered and a CM will connect to.
 *
 * @param endpoint where it listens
 * @param access the access control that was agreed on
 * @param owner the unique name of the CM
 * @param pid the process that owns that name, as the bus says (GetConnectionUnixProcessID); this
 *     one, and no other, must listen there, or connect
 * @param uid that process's user
 * @param channel the object path of the channel, for the audit
 */
public record Grant(
    Endpoint endpoint, AccessControl access, String owner, long pid, long uid, String channel) {

  /**
   * Whether that process listens where a connection has been made to. A Unix socket's peer is who
   * called listen(2): a CM that has another process do that is not believed.
   *
   * @throws IOException if not, or if it cannot be found out: one line for the audit
   */
  void checkListener(Connection connection) throws IOException {
    Endpoint.Ip listener = connection.remote();
    if (listener == null) {
      checkUnix(connection, "listens");
    } else if (!TcpProcess.listens(pid, listener)) {
      throw notTheCm(listener + " is not (only) a socket of pid " + pid);
    }
  }

  /**
   * Whether that process made a connection that has been accepted.
   *
   * @throws IOException as above
   */
  void checkClient(Connection connection) throws IOException {
    Endpoint.Ip client = connection.remote();
    Endpoint.Ip server = connection.local();
    if (client == null || server == null) {
      checkUnix(connection, "connected");
    } else if (!TcpProcess.connects(pid, client, server)) {
      throw notTheCm(client + " is no socket of pid " + pid);
    }
  }

  private void checkUnix(Connection connection, String does) throws IOException {
    PeerCredentials peer = PeerCredentials.of(connection);
    if (peer.pid() == PeerCredentials.UNKNOWN || peer.pid() != pid || peer.uid() != uid) {
      throw notTheCm("there " + peer + " " + does + ", not uid " + uid + " (pid " + pid + ")");
    }
  }

  private IOException notTheCm(String why) {
    return new IOException(
        endpoint + " is not the socket of " + owner + " for " + channel + ": " + why);
  }
}
