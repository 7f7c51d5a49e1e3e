package org.tpforward.server.channel;

import com.google.common.net.InetAddresses;
import java.net.InetSocketAddress;
import java.net.SocketAddress;

/** Addresses of SSH clients, in words. */
public final class Peers {
  private Peers() {}

  /** {@code 192.0.2.1:50000}, {@code [2001:db8::1]:50000}, or what else it is. */
  public static String name(SocketAddress address) {
    return address instanceof InetSocketAddress inet && !inet.isUnresolved()
        ? InetAddresses.toUriString(inet.getAddress()) + ":" + inet.getPort()
        : "local";
  }
}
