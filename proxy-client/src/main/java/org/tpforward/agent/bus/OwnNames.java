package org.tpforward.agent.bus;

import java.io.IOException;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import org.jspecify.annotations.Nullable;
import org.tpforward.dbus.Header;
import org.tpforward.dbus.MessageType;
import org.tpforward.dbus.Value;

/**
 * The names under which one client is known on the remote bus, as the bus tells them to it, and so
 * which messages are for it: others come to who eavesdrops, and to monitors. Written by the thread
 * that reads the bus, read by any.
 */
final class OwnNames {
  private static final String BUS = "org.freedesktop.DBus";

  /** No bus gives more to one connection; of a bus that lies the rest is not remembered. */
  private static final int MAX_NAMES = 50_000;

  private final Set<String> wellKnown = ConcurrentHashMap.newKeySet();
  private volatile @Nullable String unique;
  private volatile boolean monitor;

  /** The unique name, once the reply to Hello has come. */
  @Nullable String unique() {
    return unique;
  }

  /** The reply to Hello. */
  void hello(String name) {
    unique = name;
  }

  /** The client has become a monitor: nothing is for it any more. */
  void becomeMonitor() {
    monitor = true;
  }

  /** Whether the message may be one that tells the client of a name of its own. */
  boolean concerns(Header header) {
    return header.type() == MessageType.SIGNAL
        && BUS.equals(header.sender())
        && BUS.equals(header.interfaceName())
        && header.signature().equals("s")
        && ("NameAcquired".equals(header.member()) || "NameLost".equals(header.member()))
        && isUnique(header.destination());
  }

  /** Reads a message of which {@link #concerns} is true. */
  void learn(Message message) throws IOException {
    if (message.arguments().get(0) instanceof Value.Str(String name) && !name.startsWith(":")) {
      if ("NameLost".equals(message.header().member())) {
        wellKnown.remove(name);
      } else if (wellKnown.size() < MAX_NAMES) {
        wellKnown.add(name);
      }
    }
  }

  /**
   * Whether the message is for this client. Calls come under the very name that the caller knows:
   * Telepathy's clients are called under their well-known ones.
   */
  boolean isFor(Header header) {
    String destination = header.destination();
    return !monitor
        && (destination == null || isUnique(destination) || wellKnown.contains(destination));
  }

  private boolean isUnique(@Nullable String destination) {
    String own = unique;
    return own != null && own.equals(destination);
  }
}
