package org.tpforward.agent.bus;

import com.google.common.net.InetAddresses;
import java.net.InetAddress;
import org.tpforward.telepathy.AddressType;

/** The loopback addresses as telepathy-glib means them where it names a port alone. */
final class LocalAddresses {
  private LocalAddresses() {}

  static InetAddress loopback(AddressType type) {
    return InetAddresses.forString(type == AddressType.IPV6 ? "::1" : "127.0.0.1");
  }
}
