package org.tpforward.dbus;

import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * One single complete type of a signature, as a tree (D-Bus specification, "Type System"). The
 * grammar check works on bytes and builds nothing, as every message's header needs it.
 */
final class Type {
  private static final @Nullable Type[] BASIC = basics();

  /** The type code; {@code (} for a struct, <code>{</code> for a dict entry. */
  final char code;

  /** An array's element, a struct's fields, a dict entry's key and value. */
  final List<Type> parts;

  private final String all;
  private final int from;
  private final int to;
  private @Nullable String signature;

  private Type(char code, List<Type> parts, String all, int from, int to) {
    this.code = code;
    this.parts = parts;
    this.all = all;
    this.from = from;
    this.to = to;
  }

  /** The signature of this type alone. Made once: a million empty arrays share it. */
  String signature() {
    String s = signature;
    if (s == null) {
      s = all.substring(from, to);
      signature = s;
    }
    return s;
  }

  int alignment() {
    return alignment(code);
  }

  static int alignment(char code) {
    return switch (code) {
      case 'y', 'g', 'v' -> 1;
      case 'n', 'q' -> 2;
      case 'x', 't', 'd', '(', '{' -> 8;
      default -> 4;
    };
  }

  /**
   * @param signature one that {@link #problem} found nothing wrong with
   */
  static List<Type> parse(String signature) {
    List<Type> types = new ArrayList<>();
    for (int i = 0; i < signature.length(); ) {
      Type type = parse(signature, i);
      types.add(type);
      i = type.basic() ? i + 1 : type.to;
    }
    return types;
  }

  private static Type parse(String s, int at) {
    char code = s.charAt(at);
    Type basic = BASIC[code];
    if (basic != null) {
      return basic;
    }
    if (code == 'a') {
      Type element = parse(s, at + 1);
      return new Type('a', List.of(element), s, at, element.basic() ? at + 2 : element.to);
    }
    char close = code == '(' ? ')' : '}';
    List<Type> parts = new ArrayList<>();
    int i = at + 1;
    while (s.charAt(i) != close) {
      Type part = parse(s, i);
      parts.add(part);
      i = part.basic() ? i + 1 : part.to;
    }
    return new Type(code, parts, s, at, i + 1);
  }

  /** The type of one letter, null if there is none. */
  static @Nullable Type basic(byte code) {
    return code < 0 ? null : BASIC[code];
  }

  private boolean basic() {
    return parts.isEmpty();
  }

  /** What is wrong with a signature of any number of complete types, or null. */
  static @Nullable String problem(String signature) {
    byte[] b = signature.getBytes(StandardCharsets.ISO_8859_1);
    return problem(b, 0, b.length);
  }

  /** What is wrong with a signature that must be exactly one complete type, or null. */
  static @Nullable String problemOfSingle(String signature) {
    byte[] b = signature.getBytes(StandardCharsets.ISO_8859_1);
    return problemOfSingle(b, 0, b.length);
  }

  static @Nullable String problem(byte[] b, int from, int to) {
    if (to - from > Limits.SIGNATURE) {
      return "signature of " + (to - from) + " bytes, the limit is " + Limits.SIGNATURE;
    }
    for (int i = from; i < to; ) {
      i = end(b, i, to, 0, 0);
      if (i < 0) {
        return reason(i);
      }
    }
    return null;
  }

  static @Nullable String problemOfSingle(byte[] b, int from, int to) {
    if (to - from > Limits.SIGNATURE) {
      return "signature of " + (to - from) + " bytes, the limit is " + Limits.SIGNATURE;
    }
    int end = end(b, from, to, 0, 0);
    return end < 0 ? reason(end) : end == to ? null : "signature is more than one complete type";
  }

  private static final int CUT_SHORT = -1;
  private static final int BAD_CODE = -2;
  private static final int TOO_DEEP = -3;
  private static final int EMPTY_STRUCT = -4;
  private static final int BAD_ENTRY = -5;

  private static String reason(int error) {
    return switch (error) {
      case CUT_SHORT -> "signature ends within a type";
      case TOO_DEEP -> "signature nests over " + Limits.NESTING + " arrays or structs";
      case EMPTY_STRUCT -> "signature has an empty struct";
      case BAD_ENTRY -> "signature has a dict entry that is not a basic key and one value";
      default -> "signature has a byte that starts no type";
    };
  }

  /** Where the complete type at {@code i} ends, or one of the codes above. */
  private static int end(byte[] b, int i, int to, int arrays, int structs) {
    if (i >= to) {
      return CUT_SHORT;
    }
    byte code = b[i];
    if (basic(code) != null) {
      return i + 1;
    }
    if (code == 'a') {
      if (arrays == Limits.NESTING) {
        return TOO_DEEP;
      }
      if (i + 1 < to && b[i + 1] == '{') {
        return entryEnd(b, i + 2, to, arrays + 1, structs);
      }
      return end(b, i + 1, to, arrays + 1, structs);
    }
    if (code != '(') {
      return BAD_CODE;
    }
    if (structs == Limits.NESTING) {
      return TOO_DEEP;
    }
    int at = i + 1;
    if (at < to && b[at] == ')') {
      return EMPTY_STRUCT;
    }
    while (at < to && b[at] != ')') {
      at = end(b, at, to, arrays, structs + 1);
      if (at < 0) {
        return at;
      }
    }
    return at < to ? at + 1 : CUT_SHORT;
  }

  private static int entryEnd(byte[] b, int key, int to, int arrays, int structs) {
    if (key >= to) {
      return CUT_SHORT;
    }
    if (b[key] == 'v' || basic(b[key]) == null) {
      return BAD_ENTRY;
    }
    int end = end(b, key + 1, to, arrays, structs);
    if (end < 0) {
      return end == BAD_CODE && key + 1 < to && b[key + 1] == '}' ? BAD_ENTRY : end;
    }
    return end >= to ? CUT_SHORT : b[end] == '}' ? end + 1 : BAD_ENTRY;
  }

  /** Indexed by ASCII code. A variant is a container, but has no parts in the signature. */
  private static @Nullable Type[] basics() {
    @Nullable Type[] types = new Type[128];
    String codes = "ybnqiuxtdsoghv";
    for (int i = 0; i < codes.length(); i++) {
      types[codes.charAt(i)] = new Type(codes.charAt(i), List.of(), codes, i, i + 1);
    }
    return types;
  }
}
