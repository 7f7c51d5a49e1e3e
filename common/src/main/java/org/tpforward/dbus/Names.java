package org.tpforward.dbus;

import java.nio.charset.StandardCharsets;

/**
 * The grammar of names (D-Bus specification, "Valid Names" and "Valid Object Paths"). All of them
 * are ASCII, so they are checked as bytes before a string is made.
 */
public final class Names {
  private static final int LETTER = 1; // A-Z a-z _
  private static final int DIGIT = 2;
  private static final int DASH = 4;
  private static final byte[] KIND = kinds();

  private Names() {}

  /** Whether {@code s} is an object path: {@code /}, or elements of {@code [A-Za-z0-9_]+}. */
  public static boolean isObjectPath(String s) {
    byte[] b = bytes(s);
    return isObjectPath(b, 0, b.length);
  }

  /** Whether {@code s} is an interface name, which is the grammar of error names too. */
  public static boolean isInterface(String s) {
    byte[] b = bytes(s);
    return isInterface(b, 0, b.length);
  }

  /** Whether {@code s} is the name of a method or signal. */
  public static boolean isMember(String s) {
    byte[] b = bytes(s);
    return isMember(b, 0, b.length);
  }

  /** Whether {@code s} is a bus name, unique or well-known. */
  public static boolean isBusName(String s) {
    byte[] b = bytes(s);
    return isBusName(b, 0, b.length);
  }

  /** Whether {@code s} is a unique connection name such as {@code :1.42}. */
  public static boolean isUniqueName(String s) {
    return s.startsWith(":") && isBusName(s);
  }

  static boolean isObjectPath(byte[] b, int from, int to) {
    if (from >= to || b[from] != '/') {
      return false;
    }
    if (to - from == 1) {
      return true;
    }
    byte last = '/';
    for (int i = from + 1; i < to; i++) {
      byte c = b[i];
      if (c == '/' ? last == '/' : (kind(c) & (LETTER | DIGIT)) == 0) {
        return false;
      }
      last = c;
    }
    return last != '/';
  }

  static boolean isInterface(byte[] b, int from, int to) {
    return to - from <= Limits.NAME && dotted(b, from, to, LETTER, LETTER | DIGIT);
  }

  static boolean isMember(byte[] b, int from, int to) {
    if (from >= to || to - from > Limits.NAME || (kind(b[from]) & LETTER) == 0) {
      return false;
    }
    for (int i = from + 1; i < to; i++) {
      if ((kind(b[i]) & (LETTER | DIGIT)) == 0) {
        return false;
      }
    }
    return true;
  }

  static boolean isBusName(byte[] b, int from, int to) {
    if (from >= to || to - from > Limits.NAME) {
      return false;
    }
    return b[from] == ':'
        ? dotted(b, from + 1, to, LETTER | DIGIT | DASH, LETTER | DIGIT | DASH)
        : dotted(b, from, to, LETTER | DASH, LETTER | DIGIT | DASH);
  }

  /** Two or more elements, none empty, with a dot between each two. */
  private static boolean dotted(byte[] b, int from, int to, int first, int others) {
    boolean dot = false;
    boolean start = true;
    for (int i = from; i < to; i++) {
      byte c = b[i];
      if (c == '.') {
        if (start) {
          return false;
        }
        dot = true;
        start = true;
      } else {
        if ((kind(c) & (start ? first : others)) == 0) {
          return false;
        }
        start = false;
      }
    }
    return dot && !start;
  }

  private static int kind(byte c) {
    return KIND[c & 0xff];
  }

  /** Characters beyond Latin-1 become {@code ?}, which no grammar here allows. */
  private static byte[] bytes(String s) {
    return s.getBytes(StandardCharsets.ISO_8859_1);
  }

  private static byte[] kinds() {
    byte[] kinds = new byte[256];
    for (char c = 'A'; c <= 'Z'; c++) {
      kinds[c] = LETTER;
      kinds[c | 0x20] = LETTER;
    }
    kinds['_'] = LETTER;
    for (char c = '0'; c <= '9'; c++) {
      kinds[c] = DIGIT;
    }
    kinds['-'] = DASH;
    return kinds;
  }
}
