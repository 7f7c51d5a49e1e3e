package org.tpforward.agent.forward;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.UUID;
import org.tpforward.dbus.SaslClient;
import org.tpforward.dbus.SaslServer;
import org.tpforward.relay.Duplex;
import org.tpforward.relay.Resumed;
import org.tpforward.socket.Connection;
import org.tpforward.socket.PeerCredentials;
import org.tpforward.telepathy.AccessControl;

/**
 * SASL of a D-Bus tube, which ends on both sides so that the uids may differ: towards the client
 * the agent is the server, towards the CM the client. Then bytes flow raw.
 */
final class TubeSasl {
  private TubeSasl() {}

  /** Lets the client in, who has been checked already, whatever mechanism it asks for. */
  static Duplex server(Connection client, Duration timeout) throws IOException {
    long uid = PeerCredentials.of(client).uid();
    String guid = UUID.randomUUID().toString().replace("-", "");
    return new Resumed(client, SaslServer.admitted(client, uid, guid, timeout).leftOver());
  }

  /**
   * Logs in to the CM's server: EXTERNAL with an empty identity; where it lets in anybody
   * (Localhost), ANONYMOUS as a second try.
   */
  static Duplex client(Duplex cm, AccessControl access, Duration timeout) throws IOException {
    try {
      ByteBuffer ahead =
          access == AccessControl.LOCALHOST
              ? SaslClient.externalThenAnonymous(cm, timeout).leftOver()
              : SaslClient.external(cm, timeout).leftOver();
      return new Resumed(cm, ahead);
    } catch (IOException e) {
      cm.close();
      throw e;
    }
  }
}
