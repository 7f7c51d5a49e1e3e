package org.tpforward.agent.link;

import java.io.IOException;
import java.util.function.Consumer;
import org.tpforward.relay.Duplex;
import org.tpforward.socket.Endpoint;
import org.tpforward.ssh.Incoming;
import org.tpforward.ssh.Opening;
import org.tpforward.telepathy.AddressType;

/**
 * What the bus and the forwards know of the way to the server: it opens channels. Whether one SSH
 * connection serves them all is not theirs to know.
 */
public interface Link {
  /**
   * Opens one channel to a socket on the server. While the link is down it waits, up to the agent's
   * bound, for it to come back.
   *
   * @param target a Unix path or a loopback TCP port as the server sees it
   * @throws ChannelRefusedException if the server answered, and said no
   * @throws IOException if there is no link, or it was lost while waiting
   */
  Duplex open(Endpoint target) throws IOException;

  /**
   * Begins to open a channel as {@link #open} does, if that can be done without waiting.
   *
   * @param opening told of the outcome, perhaps before this returns, if this returns true
   * @return false if nothing was done: {@link #open} waits for what is missing, or says what is
   *     wrong
   */
  default boolean begin(Endpoint target, Opening opening) {
    return false;
  }

  /**
   * Makes the server listen for this side: in a private directory for a Unix socket, which only the
   * same user gets into, or at a port of its own choice on loopback.
   *
   * @param type {@code UNIX}, {@code IPV4} or {@code IPV6}
   * @param connections gets each connection, unanswered; must not block
   * @throws ChannelRefusedException if the server answered, and said no
   * @throws IOException if there is no link, or no place for a Unix socket at the far end
   */
  RemoteSocket listen(AddressType type, Consumer<Incoming> connections) throws IOException;

  /** What the server can reach; meaningful once the link has been up. */
  Abilities abilities();

  /**
   * What the server's end can do.
   *
   * @param unix whether Unix sockets can be reached at all (false once the server has refused
   *     streamlocal forwarding)
   * @param tcp whether loopback TCP can be reached (false once the server has refused it)
   * @param credentials whether a Unix socket under access control Credentials can be reached, the
   *     byte being sent with the credentials of the server's process: never by stock sshd
   * @param abstractNames whether abstract Unix sockets can be reached: never by stock sshd
   */
  record Abilities(boolean unix, boolean tcp, boolean credentials, boolean abstractNames) {
    /** A stock OpenSSH server with nothing disabled. */
    public static final Abilities OPENSSH = new Abilities(true, true, false, false);
  }
}
