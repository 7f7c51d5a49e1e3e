package org.tpforward.ssh;

import java.io.IOException;
import java.net.SocketAddress;
import java.nio.channels.SocketChannel;
import java.time.Duration;
import org.jspecify.annotations.Nullable;

/**
 * How a client reaches its SSH server: by TCP, or by any connected {@link SocketChannel} that
 * carries the same bytes (a Unix socket behind which a ProxyCommand runs, a jump).
 */
@FunctionalInterface
public interface Dialer {
  /**
   * Connects. Called on a thread of its own, which is interrupted when nobody wants the connection
   * any more.
   *
   * @param remote the address that the SSH client was asked to connect to; may be unresolved
   * @param local where to connect from, or null
   * @param timeout how long all of it may take
   * @return a connected channel, in any blocking mode; the transport closes it
   */
  SocketChannel dial(SocketAddress remote, @Nullable SocketAddress local, Duration timeout)
      throws IOException;

  /** Plain TCP: the addresses of the name one after another, until one answers. */
  static Dialer tcp() {
    return TcpDialer::dial;
  }
}
