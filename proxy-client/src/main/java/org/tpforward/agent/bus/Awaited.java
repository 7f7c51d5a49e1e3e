package org.tpforward.agent.bus;

import java.util.List;
import org.tpforward.agent.forward.ChannelKey;
import org.tpforward.agent.forward.Forward;
import org.tpforward.agent.forward.Offering;
import org.tpforward.telepathy.Crossing;

/** What the agent does with the reply to a call that it has seen going out. */
sealed interface Awaited {
  /** Whether the reply is the address of a socket, which must not pass as it is. */
  default boolean isAddress() {
    return switch (this) {
      case Accepted a -> true;
      case BusOffered b -> true;
      case TubeAddress t -> true;
      default -> false;
    };
  }

  /** The reply tells this client's unique name. */
  record Hello() implements Awaited {}

  /** With success the client becomes a monitor, and nothing that it sees is rewritten. */
  record Monitor() implements Awaited {}

  /** The reply says where the CM listens. */
  record Accepted(Forward forward) implements Awaited {}

  /** The reply says where the CM's D-Bus server for a tube listens. */
  record BusOffered(Forward forward) implements Awaited {}

  /**
   * The reply to an offer of the client's own socket.
   *
   * @param repliesId whether it tells the tube's id
   */
  record Offered(Offering offering, boolean repliesId) implements Awaited {}

  /** The reply is a stream tube's address. */
  record TubeAddress(ChannelKey channel, long id) implements Awaited {}

  /** The reply has dictionaries of immutable properties in these arguments. */
  record Dictionaries(List<Crossing.Nested> places) implements Awaited {}

  /** The reply is one property, itself an ability. */
  record Property(Crossing.AbilityProperty property) implements Awaited {}

  /** The reply is one property that holds dictionaries of immutable properties. */
  record NestedProperty() implements Awaited {}

  /** The reply is all properties of an interface that has abilities, or holds some. */
  record AllProperties(String interfaceName) implements Awaited {}

  /** The reply is the abilities of the channel's stream tubes. */
  record TubeAbilities() implements Awaited {}
}
