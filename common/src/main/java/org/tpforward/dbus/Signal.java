package org.tpforward.dbus;

import java.util.List;

/**
 * A signal that came over a {@link BusConnection}.
 *
 * @param header who sent which
 * @param body its arguments
 */
public record Signal(Header header, List<Value> body) {
  /** Whether this is that member of that interface. */
  public boolean is(String interfaceName, String member) {
    return interfaceName.equals(header.interfaceName()) && member.equals(header.member());
  }
}
