package org.tpforward.dbus;

import org.jspecify.annotations.Nullable;

/** Hexadecimal digits, of either case. */
final class Hex {
  private Hex() {}

  /** Null if {@code s} is not an even number of hexadecimal digits. */
  static byte @Nullable [] decode(String s) {
    if (s.length() % 2 != 0) {
      return null;
    }
    byte[] bytes = new byte[s.length() / 2];
    for (int i = 0; i < bytes.length; i++) {
      int value = digit(s.charAt(2 * i)) << 4 | digit(s.charAt(2 * i + 1));
      if (value < 0) {
        return null;
      }
      bytes[i] = (byte) value;
    }
    return bytes;
  }

  /** The digit's value, -1 if it is none. ASCII only, unlike Character.digit. */
  static int digit(char c) {
    return c >= '0' && c <= '9'
        ? c - '0'
        : c >= 'a' && c <= 'f' ? c - 'a' + 10 : c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
  }
}
