package org.tpforward.ssh;

import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.SocketAddress;
import java.net.SocketTimeoutException;
import java.nio.channels.SocketChannel;
import java.time.Duration;
import org.jspecify.annotations.Nullable;

/** Connects by TCP within one bound for all addresses of a name. */
final class TcpDialer {
  private TcpDialer() {}

  static SocketChannel dial(SocketAddress remote, @Nullable SocketAddress local, Duration timeout)
      throws IOException {
    if (!(remote instanceof InetSocketAddress inet)) {
      return connect(remote, local, timeout);
    }
    long deadline = System.nanoTime() + timeout.toNanos();
    IOException last = null;
    for (InetAddress address : InetAddress.getAllByName(inet.getHostString())) {
      Duration left = Duration.ofNanos(deadline - System.nanoTime());
      if (!left.isPositive()) {
        break;
      }
      try {
        return connect(new InetSocketAddress(address, inet.getPort()), local, left);
      } catch (IOException e) {
        if (Thread.currentThread().isInterrupted()) {
          throw e;
        }
        if (last != null) {
          e.addSuppressed(last);
        }
        last = e;
      }
    }
    throw last != null
        ? last
        : new SocketTimeoutException("no connection within " + timeout.toSeconds() + " s");
  }

  private static SocketChannel connect(
      SocketAddress remote, @Nullable SocketAddress local, Duration timeout) throws IOException {
    SocketChannel channel =
        remote instanceof InetSocketAddress
            ? SocketChannel.open()
            : SocketChannel.open(java.net.StandardProtocolFamily.UNIX);
    try {
      if (local != null) {
        channel.bind(local);
      }
      if (remote instanceof InetSocketAddress) {
        long millis = Math.max(1, Math.min(Integer.MAX_VALUE, timeout.toMillis()));
        channel.socket().connect(remote, (int) millis);
      } else {
        channel.connect(remote);
      }
      return channel;
    } catch (IOException | RuntimeException e) {
      channel.close();
      throw e;
    }
  }
}
