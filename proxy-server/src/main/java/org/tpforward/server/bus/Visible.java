package org.tpforward.server.bus;

import java.io.IOException;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;
import org.tpforward.dbus.Header;

/** Which names exist for one client. For its two threads; may ask the bus. */
final class Visible {
  /** Strangers who sent the client something, of whom the latest are remembered. */
  private static final int MAX_CALLERS = 1024;

  private final PolicyRules rules;
  private final BusNames names;
  private final Set<String> callers =
      Collections.synchronizedSet(
          Collections.newSetFromMap(
              new LinkedHashMap<>() {
                private static final long serialVersionUID = 1L;

                @Override
                protected boolean removeEldestEntry(Map.Entry<String, Boolean> eldest) {
                  return size() > MAX_CALLERS;
                }
              }));
  private volatile @Nullable String own;

  Visible(PolicyRules rules, BusNames names) {
    this.rules = rules;
    this.names = names;
  }

  /** The client's unique name; null before the reply to Hello. */
  @Nullable String own() {
    return own;
  }

  void own(String unique) {
    own = unique;
  }

  /** That peer has sent the client a message of its own accord. */
  void heardFrom(String unique) {
    callers.add(unique);
  }

  /** What the client may do with a name, unique or well-known. */
  Level level(String name) throws IOException {
    Level level = levelAsKnown(name);
    if (!level.atLeast(Level.TALK) && name.startsWith(":")) {
      names.catchUp(); // The client may have heard of it before we did.
      level = levelAsKnown(name);
    }
    return level;
  }

  /** The same, by what is known here by now. */
  Level levelAsKnown(String name) {
    if (!name.startsWith(":")) {
      return rules.level(name);
    }
    if (name.equals(own)) {
      return Level.TALK;
    }
    Level level = levelOfOwner(name);
    return level == Level.NONE && callers.contains(name) ? Level.SEE : level;
  }

  boolean sees(String name) throws IOException {
    return levelAsKnown(name).atLeast(Level.SEE) || level(name).atLeast(Level.SEE);
  }

  private Level levelOfOwner(String unique) {
    Level level = Level.NONE;
    for (String name : names.of(unique)) {
      level = Level.higher(level, rules.level(name));
    }
    // Nobody owns another's unique name.
    return level == Level.OWN ? Level.TALK : level;
  }

  /** Whether a rule lets a call through to a name that is only seen. */
  boolean allows(String destination, Header call) {
    return destination.startsWith(":")
        ? names.of(destination).stream().anyMatch(n -> rules.allows(n, call))
        : rules.allows(destination, call);
  }

  /** Whether the reply of {@code sender} is one of who was called as {@code destination}. */
  boolean isOwner(String destination, String sender) throws IOException {
    if (destination.equals(sender)) {
      return true;
    }
    if (destination.startsWith(":") || !sender.startsWith(":")) {
      return false;
    }
    if (!names.of(sender).contains(destination)) {
      names.catchUp();
    }
    return names.of(sender).contains(destination);
  }
}
