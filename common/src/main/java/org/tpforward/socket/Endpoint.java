package org.tpforward.socket;

import com.google.common.net.InetAddresses;
import java.net.InetAddress;

/**
 * Where a socket listens, here or at the far end of the link. Names only: nothing is resolved or
 * opened.
 */
public sealed interface Endpoint {
  /**
   * A Unix socket in the file system.
   *
   * @param path absolute, 1 to 107 bytes of UTF-8, without NUL
   */
  record UnixPath(String path) implements Endpoint {
    @Override
    public String toString() {
      return "unix:" + path;
    }
  }

  /**
   * A Unix socket in Linux's abstract namespace.
   *
   * @param name without the leading NUL, 1 to 107 bytes of UTF-8
   */
  record UnixAbstract(String name) implements Endpoint {
    @Override
    public String toString() {
      return "unix:@" + name;
    }
  }

  /**
   * A TCP port.
   *
   * @param address an IPv4 or IPv6 address
   * @param port 0 to 65535; 0 only where a listener's port is to be chosen
   */
  record Ip(InetAddress address, int port) implements Endpoint {
    /** Whether nothing beyond the machine itself is named. */
    public boolean isLoopback() {
      return address.isLoopbackAddress();
    }

    @Override
    public String toString() {
      return InetAddresses.toUriString(address) + ":" + port;
    }
  }
}
