package org.tpforward.server.bus;

import org.tpforward.dbus.Names;

/**
 * A well-known bus name, or all of a namespace.
 *
 * @param name without the closing {@code .*}
 * @param isNamespace whether names below {@code name} are meant too
 */
record NamePattern(String name, boolean isNamespace) {
  private static final String BELOW = ".*";

  /**
   * Reads {@code NAME} or {@code NAME.*}.
   *
   * @throws IllegalArgumentException with a line for a person
   */
  static NamePattern parse(String text) {
    boolean isNamespace = text.endsWith(BELOW);
    String name = isNamespace ? text.substring(0, text.length() - BELOW.length()) : text;
    // A namespace may be a single element, which no name is.
    if (name.startsWith(":") || !Names.isBusName(isNamespace ? name + ".x" : name)) {
      throw new IllegalArgumentException(
          "'" + text + "' is no well-known bus name, nor one with .* at its end");
    }
    return new NamePattern(name, isNamespace);
  }

  boolean matches(String wellKnown) {
    return wellKnown.equals(name)
        || (isNamespace && wellKnown.startsWith(name) && wellKnown.charAt(name.length()) == '.');
  }
}
