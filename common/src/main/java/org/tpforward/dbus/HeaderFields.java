package org.tpforward.dbus;

import java.nio.charset.StandardCharsets;
import org.jspecify.annotations.Nullable;

/**
 * The header fields of one message (D-Bus specification, "Header Fields"): read once, then never
 * changed.
 */
final class HeaderFields {
  static final int PATH = 1;
  static final int INTERFACE = 2;
  static final int MEMBER = 3;
  static final int ERROR_NAME = 4;
  static final int REPLY_SERIAL = 5;
  static final int DESTINATION = 6;
  static final int SENDER = 7;
  static final int SIGNATURE = 8;
  static final int UNIX_FDS = 9;

  private static final String[] FIELDS = {
    "",
    "PATH",
    "INTERFACE",
    "MEMBER",
    "ERROR_NAME",
    "REPLY_SERIAL",
    "DESTINATION",
    "SENDER",
    "SIGNATURE",
    "UNIX_FDS"
  };

  /** The types of the fields above, by code. */
  private static final String FIELD_TYPES = " osssussgu";

  private final byte[] raw;
  private final boolean little;

  @Nullable String path;
  @Nullable String interfaceName;
  @Nullable String member;
  @Nullable String errorName;
  @Nullable String destination;
  @Nullable String sender;
  String signature = "";
  long replySerial;
  long unixFds;

  /**
   * Reads and checks all fields, whatever the type of message.
   *
   * @param raw the whole header, of the length that {@link Header#lengthAt} tells
   */
  HeaderFields(byte[] raw, boolean little) throws ProtocolException {
    this.raw = raw;
    this.little = little;
    parse();
  }

  /** Checks that the fields which a message of this type must have are there. */
  void require(MessageType type, int bodyLength) throws ProtocolException {
    String missing =
        switch (type) {
          case METHOD_CALL -> path == null ? "PATH" : member == null ? "MEMBER" : null;
          case SIGNAL ->
              path == null
                  ? "PATH"
                  : interfaceName == null ? "INTERFACE" : member == null ? "MEMBER" : null;
          case ERROR -> errorName == null ? "ERROR_NAME" : replySerial == 0 ? "REPLY_SERIAL" : null;
          case METHOD_RETURN -> replySerial == 0 ? "REPLY_SERIAL" : null;
          case UNKNOWN -> null;
        };
    if (missing != null) {
      throw error(Header.FIXED, type + " without header field " + missing);
    }
    if (signature.isEmpty() != (bodyLength == 0)) {
      throw error(4, signature.isEmpty() ? "a body without signature" : "a signature without body");
    }
  }

  private void parse() throws ProtocolException {
    int end = Header.FIXED + Wire.int32(raw, 12, little);
    int seen = 0;
    int at = Header.FIXED;
    while (at < end) {
      at = padding(at, end);
      if (end - at < 4) {
        throw error(at, "header field is cut short");
      }
      int code = raw[at] & 0xff;
      if (code == 0) {
        throw error(at, "header field 0 is invalid");
      }
      if (code > UNIX_FDS) {
        at = unknownField(at, end);
        continue;
      }
      char fieldType = FIELD_TYPES.charAt(code);
      if (raw[at + 1] != 1 || raw[at + 2] != fieldType || raw[at + 3] != 0) {
        throw error(at + 1, "header field " + FIELDS[code] + " is not of type " + fieldType);
      }
      if ((seen & 1 << code) != 0) {
        throw error(at, "header field " + FIELDS[code] + " stands twice");
      }
      seen |= 1 << code;
      at = knownField(code, fieldType, at + 4, end);
    }
    for (int i = end; i < raw.length; i++) {
      if (raw[i] != 0) {
        throw error(i, "padding is not zero");
      }
    }
  }

  /**
   * @param at of the value, a multiple of 4 already
   * @return where the value ends
   */
  private int knownField(int code, char fieldType, int at, int end) throws ProtocolException {
    int prefix = fieldType == 'g' ? 1 : 4;
    if (end - at < prefix) {
      throw error(at, "header field " + FIELDS[code] + " is cut short");
    }
    if (fieldType == 'u') {
      setNumber(code, Wire.uint32(raw, at, little), at);
      return at + 4;
    }
    long length = fieldType == 'g' ? raw[at] & 0xff : Wire.uint32(raw, at, little);
    int from = at + prefix;
    if (length >= end - from) {
      throw error(at, "header field " + FIELDS[code] + " of " + length + " bytes is cut short");
    }
    int to = from + (int) length;
    if (raw[to] != 0) {
      throw error(to, "header field " + FIELDS[code] + " is not followed by NUL");
    }
    setText(code, from, to);
    return to + 1;
  }

  /**
   * "Implementations must ignore fields they do not understand", which still must be well formed.
   */
  private int unknownField(int at, int end) throws ProtocolException {
    Decoder decoder = new Decoder(raw, at + 1, end, little, "header");
    decoder.value(Type.parse("v").getFirst(), 2);
    return decoder.position();
  }

  private int padding(int at, int end) throws ProtocolException {
    int to = Wire.align(at, 8);
    if (to > end) {
      throw error(at, "header fields end within padding");
    }
    for (int i = at; i < to; i++) {
      if (raw[i] != 0) {
        throw error(i, "padding is not zero");
      }
    }
    return to;
  }

  private void setNumber(int code, long value, int at) throws ProtocolException {
    if (code == REPLY_SERIAL) {
      if (value == 0) {
        throw error(at, "REPLY_SERIAL is 0");
      }
      replySerial = value;
    } else {
      unixFds = value;
    }
  }

  private void setText(int code, int from, int to) throws ProtocolException {
    String problem = null;
    boolean valid =
        switch (code) {
          case PATH -> Names.isObjectPath(raw, from, to);
          case INTERFACE, ERROR_NAME -> Names.isInterface(raw, from, to);
          case MEMBER -> Names.isMember(raw, from, to);
          case SIGNATURE -> (problem = Type.problem(raw, from, to)) == null;
          default -> Names.isBusName(raw, from, to);
        };
    if (!valid) {
      throw error(
          from,
          "header field " + FIELDS[code] + ": " + (problem == null ? "not a valid name" : problem));
    }
    String text = new String(raw, from, to - from, StandardCharsets.ISO_8859_1);
    switch (code) {
      case PATH -> path = text;
      case INTERFACE -> interfaceName = text;
      case MEMBER -> member = text;
      case ERROR_NAME -> errorName = text;
      case DESTINATION -> destination = text;
      case SENDER -> sender = text;
      default -> signature = text;
    }
    // "Reserved ... it is not possible to send": a library would take it for news of its own.
    if ((code == PATH && text.equals("/org/freedesktop/DBus/Local"))
        || (code == INTERFACE && text.equals("org.freedesktop.DBus.Local"))) {
      throw error(from, "header field " + FIELDS[code] + " is reserved for local use");
    }
  }

  private static ProtocolException error(int at, String what) {
    return ProtocolException.at("header", at, what);
  }
}
