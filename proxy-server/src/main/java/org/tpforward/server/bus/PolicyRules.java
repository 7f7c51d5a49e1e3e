package org.tpforward.server.bus;

import java.util.List;
import org.tpforward.dbus.Header;
import org.tpforward.telepathy.Names;

/** A {@link BusPolicy} to be asked: what it says of well-known names. Immutable. */
final class PolicyRules {
  /** The bus itself. */
  static final String BUS = "org.freedesktop.DBus";

  private static final NamePattern TELEPATHY = new NamePattern(Names.PREFIX, true);
  private static final String CLIENTS = Names.PREFIX + ".Client.";

  private final List<NamePattern> names;
  private final List<CallRule> calls;

  PolicyRules(BusPolicy policy) {
    names = policy.names().stream().map(NamePattern::parse).toList();
    calls = policy.calls().stream().map(CallRule::parse).toList();
  }

  Level level(String wellKnown) {
    if (wellKnown.startsWith(CLIENTS)) {
      return Level.OWN;
    }
    if (wellKnown.equals(BUS)
        || TELEPATHY.matches(wellKnown)
        || names.stream().anyMatch(n -> n.matches(wellKnown))) {
      return Level.TALK;
    }
    return calls.stream().anyMatch(c -> c.destination().matches(wellKnown))
        ? Level.SEE
        : Level.NONE;
  }

  /** Whether a rule lets that call through to that name, which need not be as it was addressed. */
  boolean allows(String wellKnown, Header call) {
    return calls.stream().anyMatch(c -> c.destination().matches(wellKnown) && c.allows(call));
  }
}
