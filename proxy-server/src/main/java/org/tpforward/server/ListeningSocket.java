package org.tpforward.server;

import java.io.IOException;
import java.net.InetSocketAddress;
import java.nio.channels.Channel;
import java.nio.channels.ServerSocketChannel;
import org.jspecify.annotations.Nullable;

/**
 * Where the server listens, or will.
 *
 * @param address resolved
 * @param channel what listens already, or null
 */
record ListeningSocket(InetSocketAddress address, @Nullable ServerSocketChannel channel) {
  /**
   * An address to bind to, or the socket that somebody else has bound and given to this process as
   * its standard input: systemd with {@code StandardInput=socket} (systemd.exec(5)), or inetd's
   * {@code wait}.
   *
   * @param listen null for that socket
   * @throws ServerException if standard input is none
   */
  static ListeningSocket of(@Nullable InetSocketAddress listen) throws ServerException {
    if (listen != null) {
      return new ListeningSocket(listen, null);
    }
    try {
      Channel inherited = System.inheritedChannel();
      if (inherited instanceof ServerSocketChannel server
          && server.getLocalAddress() instanceof InetSocketAddress bound) {
        return new ListeningSocket(bound, server);
      }
    } catch (IOException e) {
      throw new ServerException("standard input cannot be listened on: " + e.getMessage(), e);
    }
    throw new ServerException(
        "--listen - is for a listening TCP socket as standard input (systemd:"
            + " StandardInput=socket)");
  }
}
