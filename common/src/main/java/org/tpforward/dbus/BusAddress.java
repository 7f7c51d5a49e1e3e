package org.tpforward.dbus;

import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * One address of a D-Bus server, such as {@code unix:path=/run/user/1000/bus} (D-Bus specification,
 * "Server Addresses"). Only taken apart: what a transport or a key means is the caller's to know.
 *
 * @param transport {@code unix}, {@code tcp}, …
 * @param keys unescaped, in order; without NUL
 */
public record BusAddress(String transport, Map<String, String> keys) {
  /** Bytes of a list of addresses; real ones have some hundred. */
  private static final int MAX_LENGTH = 16 << 10;

  private static final int MAX_ADDRESSES = 64;

  /** Takes a copy that cannot be changed. */
  public BusAddress {
    keys = Collections.unmodifiableMap(new LinkedHashMap<>(keys));
  }

  /** The value of a key, null if it is not there. */
  public @Nullable String key(String name) {
    return keys.get(name);
  }

  /**
   * Reads a list of addresses, separated by {@code ;}, which are to be tried in order.
   *
   * @return at least one
   * @throws ProtocolException saying what is wrong
   */
  public static List<BusAddress> parse(String addresses) throws ProtocolException {
    if (addresses.length() > MAX_LENGTH) {
      throw new ProtocolException(
          "bus address of " + addresses.length() + " characters, the limit is " + MAX_LENGTH);
    }
    List<BusAddress> list = new ArrayList<>();
    int at = 0;
    while (at < addresses.length()) {
      int semicolon = addresses.indexOf(';', at);
      int end = semicolon < 0 ? addresses.length() : semicolon;
      if (list.size() == MAX_ADDRESSES) {
        throw new ProtocolException("over " + MAX_ADDRESSES + " bus addresses");
      }
      list.add(one(addresses, at, end));
      at = end + 1;
    }
    if (list.isEmpty()) {
      throw new ProtocolException("bus address is empty");
    }
    return List.copyOf(list);
  }

  private static BusAddress one(String s, int from, int end) throws ProtocolException {
    int colon = s.indexOf(':', from);
    if (colon <= from || colon >= end) {
      throw error(from, "no transport");
    }
    plain(s, from, colon);
    Map<String, String> keys = new LinkedHashMap<>();
    int at = colon + 1;
    while (at < end) {
      int comma = s.indexOf(',', at);
      int to = comma < 0 || comma > end ? end : comma;
      int equals = s.indexOf('=', at);
      if (equals <= at || equals >= to || comma == end - 1) {
        throw error(at, "not a key and a value");
      }
      plain(s, at, equals);
      if (keys.put(s.substring(at, equals), unescape(s, equals + 1, to)) != null) {
        throw error(at, "the same key twice");
      }
      at = to + 1;
    }
    return new BusAddress(s.substring(from, colon), keys);
  }

  /** Transports and keys are never escaped. */
  private static void plain(String s, int from, int to) throws ProtocolException {
    for (int i = from; i < to; i++) {
      if (!isPlain(s.charAt(i))) {
        throw error(i, "a character that no name has");
      }
    }
  }

  private static String unescape(String s, int from, int to) throws ProtocolException {
    byte[] bytes = new byte[to - from];
    int n = 0;
    for (int i = from; i < to; i++) {
      char c = s.charAt(i);
      if (c == '%') {
        int value = i + 2 < to ? Hex.digit(s.charAt(i + 1)) << 4 | Hex.digit(s.charAt(i + 2)) : -1;
        if (value <= 0) {
          throw error(i, "not an escaped byte other than NUL");
        }
        bytes[n++] = (byte) value;
        i += 2;
      } else if (isPlain(c)) {
        bytes[n++] = (byte) c;
      } else {
        throw error(i, "a character that must be escaped");
      }
    }
    try {
      return StandardCharsets.UTF_8.newDecoder().decode(ByteBuffer.wrap(bytes, 0, n)).toString();
    } catch (CharacterCodingException e) {
      throw error(from, "a value that is not UTF-8");
    }
  }

  /** "Optionally-escaped bytes": all others must be escaped. */
  private static boolean isPlain(char c) {
    return (c >= 'a' && c <= 'z')
        || (c >= 'A' && c <= 'Z')
        || (c >= '0' && c <= '9')
        || "-_/.\\*".indexOf(c) >= 0;
  }

  private static ProtocolException error(int at, String what) {
    return ProtocolException.at("bus address", at, what);
  }

  /** The list that {@link #parse} reads again. */
  public static String format(List<BusAddress> addresses) {
    return String.join(";", addresses.stream().map(BusAddress::toString).toList());
  }

  /** The address as it is written, escaped. */
  @Override
  public String toString() {
    StringBuilder s = new StringBuilder(transport).append(':');
    String separator = "";
    for (Map.Entry<String, String> key : keys.entrySet()) {
      s.append(separator).append(key.getKey()).append('=');
      for (byte b : key.getValue().getBytes(StandardCharsets.UTF_8)) {
        if (b >= 0 && isPlain((char) b)) {
          s.append((char) b);
        } else {
          s.append(String.format("%%%02x", b & 0xff));
        }
      }
      separator = ",";
    }
    return s.toString();
  }
}
