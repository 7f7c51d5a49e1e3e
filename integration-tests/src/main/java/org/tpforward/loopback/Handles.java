package org.tpforward.loopback;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/**
 * Numbers for names, valid as long as the process: the connections have "immortal handles". One
 * space for all connections. Thread-safe.
 */
final class Handles {
  static final int CONTACT = 1;
  static final int ROOM = 2;

  private record Key(int type, String name) {}

  private final Map<Key, Long> numbers = new HashMap<>();
  private final List<Key> keys = new ArrayList<>();

  /**
   * The number for a name, made if it is new.
   *
   * @throws Fault NotImplemented for a type that is neither contact nor room
   */
  synchronized long ensure(long type, String name) throws Fault {
    if (type != CONTACT && type != ROOM) {
      throw Fault.notImplemented("no handles of type " + type);
    }
    if (name.isEmpty()) {
      throw Fault.of("InvalidHandle", "an empty name");
    }
    return numbers.computeIfAbsent(
        new Key((int) type, name),
        key -> {
          keys.add(key);
          return (long) keys.size();
        });
  }

  /** The name that a number of a type stands for. */
  synchronized String name(long type, long number) throws Fault {
    if (number < 1 || number > keys.size() || keys.get((int) number - 1).type() != type) {
      throw Fault.of("InvalidHandle", number + " is no handle of type " + type);
    }
    return keys.get((int) number - 1).name();
  }
}
