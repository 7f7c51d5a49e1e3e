package org.tpforward.ssh;

import java.io.IOException;
import java.net.InetSocketAddress;
import org.jspecify.annotations.Nullable;
import org.tpforward.relay.Duplex;

/**
 * Somebody has connected to a {@link RemoteListener} and waits. Accept or refuse it, once, at any
 * time and on any thread: until then the server sends nothing of what it gets there.
 */
public interface Incoming {
  /**
   * From where the connection was made, in the words of the server; null for a Unix socket, and for
   * what is not an address.
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
   * Has the server close the connection. Does nothing if this has been answered before.
   *
   * @param why for the log of who implements the other side; OpenSSH does not show it
   */
  void refuse(String why);
}
