package org.tpforward.socket;

import java.io.IOException;
import java.net.SocketAddress;
import java.net.SocketException;
import java.net.SocketTimeoutException;
import java.net.StandardProtocolFamily;
import java.net.StandardSocketOptions;
import java.nio.channels.SocketChannel;
import java.time.Duration;
import org.jspecify.annotations.Nullable;
import org.newsclub.net.unix.AFUNIXSocketAddress;
import org.newsclub.net.unix.AFUNIXSocketChannel;
import org.newsclub.net.unix.FileDescriptorCast;

/** Connects, within a time. */
final class Dialer {
  private Dialer() {}

  static Connection connect(Endpoint where, Endpoint.@Nullable Ip from, Duration timeout)
      throws IOException {
    Endpoints.check(where);
    checkTimeout(timeout);
    return switch (where) {
      case Endpoint.UnixPath path when !Endpoints.fitsJdk(path) -> connectNative(path, timeout);
      case Endpoint.UnixPath path -> {
        SocketAddress address = Endpoints.jdkAddress(path);
        SocketChannel channel = SocketChannel.open(StandardProtocolFamily.UNIX);
        yield Platform.call("connect", () -> watched(channel, address, where, timeout));
      }
      case Endpoint.UnixAbstract name -> connectNative(name, timeout);
      case Endpoint.Ip ip -> {
        if (from != null) {
          Endpoints.check(from);
        }
        SocketChannel channel = SocketChannel.open(Endpoints.family(ip));
        try {
          if (from != null) {
            channel.setOption(StandardSocketOptions.SO_REUSEADDR, true);
            channel.bind(Endpoints.inetAddress(from));
          }
        } catch (IOException | RuntimeException e) {
          channel.close();
          throw e;
        }
        yield watched(channel, Endpoints.inetAddress(ip), where, timeout);
      }
    };
  }

  private static void checkTimeout(Duration timeout) {
    if (!timeout.isPositive()) {
      throw new IllegalArgumentException("not a positive time: " + timeout);
    }
  }

  /** The JDK has no timeout for a channel's connect, but closing the channel ends it. */
  private static Connection watched(
      SocketChannel channel, SocketAddress address, Endpoint where, Duration timeout)
      throws IOException {
    try (Watchdog watchdog = Watchdog.over(channel::close, timeout)) {
      try {
        channel.connect(address);
      } catch (IOException | RuntimeException e) {
        channel.close();
        throw watchdog.expired() ? timedOut(where, timeout) : describe(e, where);
      }
      if (watchdog.expired()) {
        throw timedOut(where, timeout);
      }
    }
    return Connection.of(channel, where);
  }

  private static SocketTimeoutException timedOut(Endpoint where, Duration timeout) {
    return new SocketTimeoutException(
        "no connection to %s within %d ms".formatted(where, timeout.toMillis()));
  }

  /** "Connection refused" alone does not help anybody. */
  private static IOException describe(Exception e, Endpoint where) {
    if (e instanceof RuntimeException runtime) {
      throw runtime;
    }
    SocketException described = new SocketException(e.getMessage() + ": " + where);
    described.initCause(e);
    return described;
  }

  static Connection connectNative(Endpoint where, Duration timeout) throws IOException {
    Endpoints.check(where);
    checkTimeout(timeout);
    AFUNIXSocketAddress address = Endpoints.nativeAddress(where);
    return Platform.call("connect", () -> connectNative(address, where, timeout));
  }

  private static Connection connectNative(
      AFUNIXSocketAddress address, Endpoint where, Duration timeout) throws IOException {
    AFUNIXSocketChannel channel = AFUNIXSocketChannel.open();
    try {
      // Makes junixsocket create the descriptor. A close would not end its connect, but the kernel
      // bounds the wait for a place in the backlog by SO_SNDTIMEO.
      channel.setOption(
          StandardSocketOptions.SO_SNDBUF, channel.getOption(StandardSocketOptions.SO_SNDBUF));
      int fd = FileDescriptorCast.using(channel.getFileDescriptor()).as(Integer.class);
      Libc.get().setSendTimeout(fd, Math.max(1, timeout.toMillis()) * 1000);
      channel.connect(address);
      Libc.get().setSendTimeout(fd, 0);
      return Connection.of(channel, where);
    } catch (SocketTimeoutException e) {
      channel.close();
      SocketTimeoutException timedOut = timedOut(where, timeout);
      timedOut.initCause(e);
      throw timedOut;
    } catch (IOException | RuntimeException e) {
      channel.close();
      throw describe(e, where);
    }
  }
}
