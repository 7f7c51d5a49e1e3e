package org.tpforward.server.bus;

import org.tpforward.telepathy.AccessControl;
import org.tpforward.telepathy.AddressType;

/** What the reply to a call that went out means here. */
sealed interface Awaited {
  /** Nothing. */
  record Plain() implements Awaited {}

  /** It tells the client's unique name. */
  record Hello() implements Awaited {}

  /** It is a list of names, of which only those that may be seen pass. */
  record NameList() implements Awaited {}

  /** It says where the CM listens. */
  record Accepted(Grants.Claim claim, AddressType type, AccessControl access) implements Awaited {}

  /** It says where the CM's D-Bus server for a tube listens. */
  record BusAddress(Grants.Claim claim, AccessControl access) implements Awaited {}

  /** It is a stream tube's address. */
  record TubeAddress(Grants.Claim claim) implements Awaited {}

  /**
   * It says whether the CM takes the client's offer.
   *
   * @param repliesId whether it tells the tube's id
   */
  record Offered(Grants.Claim claim, Grants.Entry entry, boolean repliesId) implements Awaited {}

  /** The commonest one. */
  Plain PLAIN = new Plain();
}
