package org.tpforward.dbus;

import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import org.jspecify.annotations.Nullable;

/** Strings as D-Bus has them: UTF-8 without NUL, surrogates and overlong forms. */
final class Texts {
  private Texts() {}

  /** Whether {@code s} can be written: no NUL, no unpaired surrogate. */
  static boolean isText(String s) {
    for (int i = 0; i < s.length(); i++) {
      char c = s.charAt(i);
      if (c == 0) {
        return false;
      }
      if (Character.isSurrogate(c)) {
        if (Character.isLowSurrogate(c)
            || i + 1 == s.length()
            || !Character.isLowSurrogate(s.charAt(i + 1))) {
          return false;
        }
        i++;
      }
    }
    return true;
  }

  /** What a stranger said, for a message of one line: cut, and without control characters. */
  static String line(String s, int max) {
    StringBuilder line = new StringBuilder();
    for (int i = 0; i < s.length() && i < max; i++) {
      char c = s.charAt(i);
      line.append(Character.isISOControl(c) || Character.getType(c) == Character.FORMAT ? '?' : c);
    }
    return s.length() > max ? line.append('\u2026').toString() : line.toString();
  }

  /** Null if the bytes are not UTF-8, or hold a NUL. */
  static @Nullable String decode(byte[] b, int from, int length) {
    if (length == 0) {
      return "";
    }
    // The String constructor is the fast way, but it replaces what is wrong by U+FFFD.
    String s = new String(b, from, length, StandardCharsets.UTF_8);
    if (s.indexOf(0) >= 0 || (s.indexOf('\uFFFD') >= 0 && !isUtf8(b, from, length))) {
      return null;
    }
    return s;
  }

  private static boolean isUtf8(byte[] b, int from, int length) {
    try {
      StandardCharsets.UTF_8.newDecoder().decode(ByteBuffer.wrap(b, from, length));
      return true;
    } catch (CharacterCodingException e) {
      return false;
    }
  }
}
