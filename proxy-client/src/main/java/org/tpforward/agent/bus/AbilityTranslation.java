package org.tpforward.agent.bus;

import com.google.common.cache.Cache;
import com.google.common.cache.CacheBuilder;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.tpforward.agent.forward.RemoteLeg;
import org.tpforward.agent.link.Link;
import org.tpforward.dbus.Value;
import org.tpforward.telepathy.AccessControl;
import org.tpforward.telepathy.AddressType;
import org.tpforward.telepathy.Crossing;
import org.tpforward.telepathy.Names;
import org.tpforward.telepathy.SocketAbilities;
import org.tpforward.telepathy.SocketKind;

/**
 * Abilities, both ways: what a CM can do becomes what this agent can offer for it, and a request
 * that repeats the agent's abilities gets the CM's own. Shared by all clients; thread-safe.
 */
final class AbilityTranslation {
  private final Link link;

  /**
   * The file abilities last seen of each CM, by unique name: what a request is turned back into.
   */
  private final Cache<String, Value> fileAbilities =
      CacheBuilder.newBuilder().maximumSize(1000).build();

  AbilityTranslation(Link link) {
    this.link = link;
  }

  Outcome arriving(Message message, Crossing.Nested nested) throws IOException {
    return inArguments(message, List.of(nested.arg()));
  }

  Outcome inReply(Message message, List<Crossing.Nested> places) throws IOException {
    return inArguments(message, places.stream().map(Crossing.Nested::arg).toList());
  }

  Outcome everywhere(Message message) throws IOException {
    return inArguments(message, List.of(0));
  }

  Outcome property(Message message, Crossing.AbilityProperty property) throws IOException {
    return message.first("v") instanceof Value.Variant variant
        ? changed(message, 0, variant, rewriter(message).property(property, variant))
        : message.unchanged();
  }

  Outcome allProperties(Message message, String interfaceName) throws IOException {
    return message.first("a{sv}") instanceof Value.Dict properties
        ? changed(message, 0, properties, rewriter(message).inProperties(interfaceName, properties))
        : message.unchanged();
  }

  Outcome tubeTypes(Message message) throws IOException {
    return message.first(SocketAbilities.SIGNATURE) instanceof Value.Dict map
        ? changed(message, 0, map, tubes(SocketAbilities.of(map)))
        : message.unchanged();
  }

  /** A client's request: AvailableSocketTypes in it becomes the CM's own, or goes. */
  Outcome requested(Message message, Crossing.Nested nested, String owner) throws IOException {
    Value argument = message.arguments().get(nested.arg());
    AbilityRewriter toTheirs =
        new AbilityRewriter((property, value) ->
            property.interfaceName().equals(Names.FILE_TRANSFER)
                ? Optional.ofNullable(fileAbilities.getIfPresent(owner))
                : Optional.of(value));
    return changed(message, nested.arg(), argument, toTheirs.inDictionaries(argument));
  }

  private Outcome inArguments(Message message, List<Integer> places) throws IOException {
    List<Value> arguments = new ArrayList<>(message.arguments());
    boolean changed = false;
    for (int place : places) {
      if (place < arguments.size()) {
        Value before = arguments.get(place);
        Value after = rewriter(message).inDictionaries(before);
        arguments.set(place, after);
        changed |= !after.equals(before);
      }
    }
    return changed ? message.with(arguments) : message.unchanged();
  }

  private static Outcome changed(Message message, int place, Value before, Value after)
      throws IOException {
    if (after.equals(before)) {
      return message.unchanged();
    }
    List<Value> arguments = new ArrayList<>(message.arguments());
    arguments.set(place, after);
    return message.with(arguments);
  }

  private AbilityRewriter rewriter(Message message) {
    String sender = message.header().sender();
    return new AbilityRewriter((property, value) -> {
      if (property.interfaceName().equals(Names.FILE_TRANSFER) && sender != null) {
        fileAbilities.put(sender, value);
      }
      return Optional.of(offer(property, value));
    });
  }

  /** What this agent can offer where the CM has {@code value}. */
  private Value offer(Crossing.AbilityProperty property, Value value) {
    return switch (value) {
      case Value.Dict map ->
          property.interfaceName().equals(Names.FILE_TRANSFER)
              ? files(SocketAbilities.of(map))
              : tubes(SocketAbilities.of(map));
      case Value.Array accesses when !accesses.elements().isEmpty() ->
          // The agent ends SASL itself: as its own uid only (Credentials), or of whoever Localhost
          // would have admitted; it admits its own uid in both.
          new Value.Array(
              "u",
              List.of(
                  Value.u(AccessControl.LOCALHOST.code()),
                  Value.u(AccessControl.CREDENTIALS.code())));
      default -> value;
    };
  }

  private Value.Dict files(SocketAbilities theirs) {
    return RemoteLeg.choose(theirs, link.abilities()).isPresent()
        ? SocketAbilities.LOCALHOST_ONLY.toValue()
        : SocketAbilities.NONE.toValue();
  }

  /** A tube may be accepted or offered: a CM to which only one way leads has abilities too. */
  private Value.Dict tubes(SocketAbilities theirs) {
    SocketKind easiest = new SocketKind(AddressType.UNIX, AccessControl.LOCALHOST);
    boolean any =
        RemoteLeg.choose(theirs, link.abilities()).isPresent()
            || !RemoteLeg.offers(theirs, link.abilities(), easiest, true).isEmpty();
    return (any ? SocketAbilities.ALL : SocketAbilities.NONE).toValue();
  }
}
