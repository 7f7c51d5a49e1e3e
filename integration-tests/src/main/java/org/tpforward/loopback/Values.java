package org.tpforward.loopback;

import com.google.common.net.InetAddresses;
import java.net.InetAddress;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.freedesktop.dbus.DBusPath;
import org.freedesktop.dbus.types.UInt16;
import org.freedesktop.dbus.types.UInt32;
import org.freedesktop.dbus.types.UInt64;
import org.freedesktop.dbus.types.Variant;
import org.jspecify.annotations.Nullable;

/** Values as dbus-java writes and reads them. */
final class Values {
  private Values() {}

  static UInt32 u(long value) {
    return new UInt32(value);
  }

  static UInt64 t(long value) {
    return new UInt64(value);
  }

  static UInt16 q(int value) {
    return new UInt16(value);
  }

  static DBusPath o(String path) {
    return new DBusPath(path);
  }

  /**
   * An IP address as CMs made with telepathy-glib write it: the specification wants {@code (sq)},
   * but dbus-glib keeps a port in a guint and makes {@code (su)} of that.
   */
  static Variant<?> address(InetAddress address, int port) {
    return variant(struct(ip(address), u(port)), "(su)");
  }

  /** An IP address as inet_ntop writes it. */
  static String ip(InetAddress address) {
    return InetAddresses.toAddrString(address);
  }

  static Object[] struct(Object... fields) {
    return fields;
  }

  static Variant<?> variant(Object value, String signature) {
    return new Variant<>(value, signature);
  }

  /** What is in a variant, or the value itself. */
  static @Nullable Object unwrap(@Nullable Object value) {
    return value instanceof Variant<?> variant ? unwrap(variant.getValue()) : value;
  }

  /** The signature of what is in a variant. */
  static String signature(Object value) {
    return value instanceof Variant<?> variant ? variant.getSig() : "";
  }

  /** An {@code ay}, whichever way it was read; null for anything else. */
  static byte @Nullable [] bytes(@Nullable Object value) {
    Object bare = unwrap(value);
    if (bare instanceof byte[] bytes) {
      return bytes;
    }
    if (!(bare instanceof List<?> list)) {
      return null;
    }
    byte[] bytes = new byte[list.size()];
    for (int i = 0; i < bytes.length; i++) {
      if (!(list.get(i) instanceof Byte b)) {
        return null;
      }
      bytes[i] = b;
    }
    return bytes;
  }

  /** The list of an array of integers, whichever way it was read. */
  static List<Long> numbers(@Nullable Object value) {
    List<Long> numbers = new ArrayList<>();
    switch (unwrap(value)) {
      case List<?> list -> {
        for (Object number : list) {
          numbers.add(((Number) number).longValue());
        }
      }
      case Object[] array -> {
        for (Object number : array) {
          numbers.add(((Number) number).longValue());
        }
      }
      case int[] array -> {
        for (int number : array) {
          numbers.add(Integer.toUnsignedLong(number));
        }
      }
      case long[] array -> {
        for (long number : array) {
          numbers.add(number);
        }
      }
      case null, default -> throw new IllegalArgumentException("no array of numbers");
    }
    return numbers;
  }

  /** The strings of an {@code as}, whichever way it was read. */
  static List<String> strings(@Nullable Object value) {
    List<String> strings = new ArrayList<>();
    switch (unwrap(value)) {
      case List<?> list -> list.forEach(string -> strings.add(string.toString()));
      case Object[] array -> {
        for (Object string : array) {
          strings.add(string.toString());
        }
      }
      case null, default -> throw new IllegalArgumentException("no array of strings");
    }
    return strings;
  }

  /** An {@code a{sv}}, its variants unwrapped and gone. */
  static Map<String, Object> map(Object value) {
    Map<String, Object> map = new java.util.LinkedHashMap<>();
    if (unwrap(value) instanceof Map<?, ?> entries) {
      entries.forEach((key, entry) -> {
        Object bare = unwrap(entry);
        if (bare != null) {
          map.put(String.valueOf(key), bare);
        }
      });
    }
    return map;
  }

  /** Takes a signature apart into its complete types. */
  static List<String> split(String signature) {
    List<String> types = new ArrayList<>();
    for (int at = 0; at < signature.length(); ) {
      int end = endOfType(signature, at);
      types.add(signature.substring(at, end));
      at = end;
    }
    return types;
  }

  private static int endOfType(String signature, int at) {
    return switch (signature.charAt(at)) {
      case 'a' -> endOfType(signature, at + 1);
      case '(', '{' -> {
        int next = at + 1;
        while (signature.charAt(next) != ')' && signature.charAt(next) != '}') {
          next = endOfType(signature, next);
        }
        yield next + 1;
      }
      default -> at + 1;
    };
  }

  /**
   * A name as the Telepathy specification puts it into object paths: letters and digits stay, a
   * digit at the beginning and all else becomes {@code _xx}.
   */
  static String escape(String name) {
    if (name.isEmpty()) {
      return "_";
    }
    StringBuilder escaped = new StringBuilder();
    for (byte b : name.getBytes(StandardCharsets.UTF_8)) {
      boolean letter = (b >= 'a' && b <= 'z') || (b >= 'A' && b <= 'Z');
      boolean digit = b >= '0' && b <= '9';
      if (letter || (digit && !escaped.isEmpty())) {
        escaped.append((char) b);
      } else {
        escaped.append(String.format("_%02x", b & 0xff));
      }
    }
    return escaped.toString();
  }
}
