package org.tpforward.agent.forward;

import org.tpforward.socket.Endpoint;
import org.tpforward.telepathy.AddressType;

/** Where an agent's local sockets go. */
@FunctionalInterface
public interface ListenerPlaces {
  /** A place of that type where nobody has listened before; port 0 for IP. */
  Endpoint next(AddressType type);
}
