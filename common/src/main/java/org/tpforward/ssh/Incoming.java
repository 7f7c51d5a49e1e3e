package org.tpforward.ssh;

import java.io.IOException;
import java.net.InetSocketAddress;
import org.jspecify.annotations.Nullable;
import org.tpforward.relay.Duplex;

/**
 * A channel that the other side wants to open: for a client, somebody has connected to a {@link
 * RemoteListener} and waits. Accept or refuse it, once, at any time and on any thread: until then
 * the other side sends nothing.
 */
public interface Incoming {
  /**
   * From where the connection was made, in the words of the other side; null for a Unix socket, and
   * for what is not an address.
   */
  @Nullable InetSocketAddress originator();

  /**
   * Confirms the channel.
   *
   * @return the stream; the caller closes it
   * @throws IOException if the session is gone, or this has been answered before
   */
  Duplex accept() throws IOException;

  /**
   * Refuses the channel as administratively prohibited. Does nothing if this has been answered
   * before.
   *
   * @param why for a person, one line; OpenSSH's server does not show it
   */
  default void refuse(String why) {
    refuse(ChannelOpenFailedException.PROHIBITED, why);
  }

  /**
   * As {@link #refuse(String)}.
   *
   * @param code one of the constants of {@link ChannelOpenFailedException}
   */
  void refuse(int code, String why);
}
