package org.tpforward.ssh;

import java.net.InetAddress;
import java.net.InetSocketAddress;
import org.jspecify.annotations.Nullable;

/** Who connected, as the server words it. */
final class Originators {
  private static final int LONGEST = 64;

  private Originators() {}

  /** The address, or null where it is not a literal one: nothing is looked up. */
  static @Nullable InetSocketAddress parse(String address, long port) {
    if (address.isEmpty() || address.length() > LONGEST || port > 65535) {
      return null;
    }
    try {
      return new InetSocketAddress(InetAddress.ofLiteral(address), (int) port);
    } catch (IllegalArgumentException e) {
      return null;
    }
  }
}
