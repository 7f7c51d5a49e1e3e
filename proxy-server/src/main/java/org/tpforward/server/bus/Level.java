package org.tpforward.server.bus;

/** What a connection may do with a name on the bus; each level includes those before it. */
enum Level {
  /** For this connection the name does not exist. */
  NONE,
  /** It may know whether the name is there, and who owns it. */
  SEE,
  /** It may call the name, and hears its broadcasts. */
  TALK,
  /** It may own the name. */
  OWN;

  boolean atLeast(Level other) {
    return compareTo(other) >= 0;
  }

  static Level higher(Level a, Level b) {
    return a.atLeast(b) ? a : b;
  }
}
