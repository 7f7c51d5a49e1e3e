package org.tpforward.dbus;

import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * The header of one message, as it stands on the wire (D-Bus specification, "Message Format"):
 *
 * <pre>
 *   byte    'l' or 'B': the byte order of all that follows
 *   byte    type
 *   byte    flags
 *   byte    protocol version, 1
 *   uint32  length of the body
 *   uint32  serial, not 0
 *   array of struct (byte code, variant value): the header fields
 *   zeros up to a multiple of 8
 * </pre>
 *
 * Immutable. The bytes are kept, so what this program does not know (flags, fields) passes on.
 */
public final class Header {
  /** What the length of a header can be told from: all up to the first field. */
  static final int FIXED = 16;

  static final int NO_REPLY_EXPECTED = 1;
  static final int NO_AUTO_START = 2;

  // Header field codes.
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
  private final MessageType type;

  private @Nullable String path;
  private @Nullable String interfaceName;
  private @Nullable String member;
  private @Nullable String errorName;
  private @Nullable String destination;
  private @Nullable String sender;
  private String signature = "";
  private long replySerial;
  private long unixFds;

  /** Takes {@code raw} over. */
  private Header(byte[] raw) throws ProtocolException {
    this.raw = raw;
    this.little = raw[0] == 'l';
    if (raw[1] == 0) {
      throw error(1, "message type 0 is invalid");
    }
    this.type = MessageType.of(raw[1] & 0xff);
    if (serial() == 0) {
      throw error(8, "serial is 0");
    }
    parseFields();
    requireFields();
  }

  /** With another length of the body; everything else is the same. */
  private Header(Header other, byte[] raw) {
    this.raw = raw;
    this.little = other.little;
    this.type = other.type;
    this.path = other.path;
    this.interfaceName = other.interfaceName;
    this.member = other.member;
    this.errorName = other.errorName;
    this.destination = other.destination;
    this.sender = other.sender;
    this.signature = other.signature;
    this.replySerial = other.replySerial;
    this.unixFds = other.unixFds;
  }

  /**
   * Reads and validates a header.
   *
   * @param raw the whole header and nothing more, the padding to a multiple of 8 included
   * @throws ProtocolException saying what is wrong at which byte of the header
   */
  public static Header parse(byte[] raw) throws ProtocolException {
    if (raw.length < FIXED) {
      throw ProtocolException.at("header", raw.length, "header is cut short");
    }
    int length = lengthAt(raw, 0);
    if (length != raw.length) {
      throw ProtocolException.at(
          "header", 12, "header of " + length + " bytes, " + raw.length + " are there");
    }
    return new Header(raw.clone());
  }

  /** As {@link #parse}, for an array whose length is {@link #lengthAt} and that is given away. */
  static Header parseOwned(byte[] raw) throws ProtocolException {
    return new Header(raw);
  }

  /**
   * How long the header that starts at {@code at} is, told from its first {@link #FIXED} bytes,
   * which must be there.
   *
   * @throws ProtocolException if no message starts there, or one over the limits
   */
  static int lengthAt(byte[] b, int at) throws ProtocolException {
    if (b[at] != 'l' && b[at] != 'B') {
      throw ProtocolException.at("header", 0, "byte order is neither 'l' nor 'B'");
    }
    if (b[at + 3] != 1) {
      throw ProtocolException.at(
          "header", 3, "protocol version is " + (b[at + 3] & 0xff) + ", not 1");
    }
    boolean little = b[at] == 'l';
    long fields = Wire.uint32(b, at + 12, little);
    if (fields > Limits.HEADER_FIELDS) {
      throw ProtocolException.at(
          "header",
          12,
          "header fields of " + fields + " bytes, the limit is " + Limits.HEADER_FIELDS);
    }
    int length = Wire.align(FIXED + (int) fields, 8);
    long body = Wire.uint32(b, at + 4, little);
    if (length + body > Limits.MESSAGE) {
      throw ProtocolException.at(
          "header", 4, "message of " + (length + body) + " bytes, the limit is " + Limits.MESSAGE);
    }
    return length;
  }

  /**
   * Whether the message that starts at {@code at} is there as a whole, up to {@code end}. Where the
   * bytes are no message the answer is of no importance.
   */
  static boolean wholeAt(byte[] b, int at, int end) {
    if (end - at < FIXED) {
      return false;
    }
    boolean little = b[at] == 'l';
    long length =
        (FIXED + Wire.uint32(b, at + 12, little) + 7 & -8L) + Wire.uint32(b, at + 4, little);
    return end - at >= length;
  }

  private void parseFields() throws ProtocolException {
    int end = FIXED + Wire.int32(raw, 12, little);
    int seen = 0;
    int at = FIXED;
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

  private void requireFields() throws ProtocolException {
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
      throw error(FIXED, "a " + type + " without header field " + missing);
    }
    if (signature.isEmpty() != (bodyLength() == 0)) {
      throw error(4, signature.isEmpty() ? "a body without signature" : "a signature without body");
    }
  }

  private static ProtocolException error(int at, String what) {
    return ProtocolException.at("header", at, what);
  }

  /** The byte order of header and body. */
  public ByteOrder order() {
    return little ? ByteOrder.LITTLE_ENDIAN : ByteOrder.BIG_ENDIAN;
  }

  /** The kind of message. */
  public MessageType type() {
    return type;
  }

  /** All eight bits, known or not. */
  public int flags() {
    return raw[2] & 0xff;
  }

  /** Flag 0x1: a call that is not to be answered. */
  public boolean noReplyExpected() {
    return (raw[2] & NO_REPLY_EXPECTED) != 0;
  }

  /** Flag 0x2: the destination is not to be started for this. */
  public boolean noAutoStart() {
    return (raw[2] & NO_AUTO_START) != 0;
  }

  /** 1 to 2^32-1, chosen by the sender. */
  public long serial() {
    return Wire.uint32(raw, 8, little);
  }

  /** The serial of the call that this answers; 0 if the field is absent. */
  public long replySerial() {
    return replySerial;
  }

  /** In bytes, 0 to 128 MiB. */
  public int bodyLength() {
    return Wire.int32(raw, 4, little);
  }

  /** The object that is called, or that sends the signal. */
  public @Nullable String path() {
    return path;
  }

  /** The interface; optional in calls. */
  public @Nullable String interfaceName() {
    return interfaceName;
  }

  /** The method or signal. */
  public @Nullable String member() {
    return member;
  }

  /** The error's name. */
  public @Nullable String errorName() {
    return errorName;
  }

  /** The bus name that the message is for; absent in broadcast signals. */
  public @Nullable String destination() {
    return destination;
  }

  /** The unique name of the sender, as the bus wrote it (or {@code org.freedesktop.DBus}). */
  public @Nullable String sender() {
    return sender;
  }

  /** The types of the body; empty if there is none. */
  public String signature() {
    return signature;
  }

  /** How many file descriptors the sender says it passes; 0 if the field is absent. */
  public long unixFds() {
    return unixFds;
  }

  /** A copy of the whole header, the padding included. */
  public byte[] raw() {
    return raw.clone();
  }

  /** The whole header; not to be changed. */
  byte[] bytes() {
    return raw;
  }

  /**
   * The same header for a body of another length: four bytes differ, all others are as they came.
   * The new body must have the same signature.
   *
   * @throws IllegalArgumentException if the message would be over 128 MiB, or a body would be there
   *     without a signature or the other way round
   */
  public Header withBodyLength(int length) {
    if (length < 0 || length > Limits.MESSAGE - raw.length) {
      throw new IllegalArgumentException("a body of " + length + " bytes");
    }
    if (signature.isEmpty() != (length == 0)) {
      throw new IllegalArgumentException(
          "a body of " + length + " bytes for signature '" + signature + "'");
    }
    byte[] patched = raw.clone();
    Wire.putInt32(patched, 4, little, length);
    return new Header(this, patched);
  }

  /** For a message of this program's own; serial and the type's required fields must be set. */
  public static Builder builder(MessageType type) {
    return new Builder(type);
  }

  /** A METHOD_RETURN for {@code call}, to its sender, in its byte order; the serial must be set. */
  public static Builder returnTo(Header call) {
    return replyTo(MessageType.METHOD_RETURN, call);
  }

  /** An ERROR for {@code call}, to its sender, in its byte order; the serial must be set. */
  public static Builder errorTo(Header call, String errorName) {
    return replyTo(MessageType.ERROR, call).errorName(errorName);
  }

  private static Builder replyTo(MessageType type, Header call) {
    return builder(type)
        .order(call.order())
        .flags(NO_REPLY_EXPECTED)
        .replySerial(call.serial())
        .destination(call.sender());
  }

  @Override
  public boolean equals(@Nullable Object other) {
    return other instanceof Header that && Arrays.equals(raw, that.raw);
  }

  @Override
  public int hashCode() {
    return Arrays.hashCode(raw);
  }

  /** One line for logs: names and numbers, nothing of the body. */
  @Override
  public String toString() {
    return type
        + " serial="
        + serial()
        + (replySerial == 0 ? "" : " reply_serial=" + replySerial)
        + (sender == null ? "" : " sender=" + sender)
        + (destination == null ? "" : " destination=" + destination)
        + (path == null ? "" : " path=" + path)
        + (member == null ? "" : " " + Objects.requireNonNullElse(interfaceName, "") + "." + member)
        + (errorName == null ? "" : " error=" + errorName)
        + " signature="
        + signature
        + " body="
        + bodyLength();
  }

  /** Makes the {@link Header} of a message that this program sends itself. Not for many threads. */
  public static final class Builder {
    private final MessageType type;
    private boolean little = ByteOrder.nativeOrder() == ByteOrder.LITTLE_ENDIAN;
    private int flags;
    private long serial;
    private long replySerial;
    private @Nullable String path;
    private @Nullable String interfaceName;
    private @Nullable String member;
    private @Nullable String errorName;
    private @Nullable String destination;
    private @Nullable String sender;
    private String signature = "";

    Builder(MessageType type) {
      if (type == MessageType.UNKNOWN) {
        throw new IllegalArgumentException("a message of no known type");
      }
      this.type = type;
    }

    /** The machine's own order if not set. */
    public Builder order(ByteOrder order) {
      little = order == ByteOrder.LITTLE_ENDIAN;
      return this;
    }

    /** Eight bits; 0 if not set. */
    public Builder flags(int flags) {
      this.flags = flags & 0xff;
      return this;
    }

    /** 1 to 2^32-1. */
    public Builder serial(long serial) {
      this.serial = serial;
      return this;
    }

    /** 1 to 2^32-1, or 0 for none. */
    public Builder replySerial(long replySerial) {
      this.replySerial = replySerial;
      return this;
    }

    /** Null for none, as below. */
    public Builder path(@Nullable String path) {
      this.path = path;
      return this;
    }

    /** The interface. */
    public Builder interfaceName(@Nullable String interfaceName) {
      this.interfaceName = interfaceName;
      return this;
    }

    /** The method or signal. */
    public Builder member(@Nullable String member) {
      this.member = member;
      return this;
    }

    /** The error's name. */
    public Builder errorName(@Nullable String errorName) {
      this.errorName = errorName;
      return this;
    }

    /** The bus name that the message is for. */
    public Builder destination(@Nullable String destination) {
      this.destination = destination;
      return this;
    }

    /** Who the message claims to be from; for messages that are sent in another's name. */
    public Builder sender(@Nullable String sender) {
      this.sender = sender;
      return this;
    }

    /** The types of the body; empty if not set. */
    public Builder signature(String signature) {
      this.signature = signature;
      return this;
    }

    /**
     * The header for a body of this length.
     *
     * @throws IllegalArgumentException if it would be refused by {@link Header#parse}
     */
    public Header build(int bodyLength) {
      check(serial);
      check(replySerial);
      Encoder out = new Encoder(little);
      out.uint8(little ? 'l' : 'B');
      out.uint8(type.code());
      out.uint8(flags);
      out.uint8(1);
      out.uint32(bodyLength);
      out.uint32((int) serial);
      out.uint32(0);
      text(out, PATH, "o", path);
      text(out, INTERFACE, "s", interfaceName);
      text(out, MEMBER, "s", member);
      text(out, ERROR_NAME, "s", errorName);
      if (replySerial != 0) {
        field(out, REPLY_SERIAL, "u");
        out.uint32((int) replySerial);
      }
      text(out, DESTINATION, "s", destination);
      text(out, SENDER, "s", sender);
      if (!signature.isEmpty()) {
        field(out, SIGNATURE, "g");
        out.signature(signature);
      }
      out.patchUint32(12, out.position() - FIXED);
      out.align(8);
      try {
        return parse(out.toArray());
      } catch (ProtocolException e) {
        throw new IllegalArgumentException(e.getMessage(), e);
      }
    }

    /** A header for {@code body}, which must be of the signature that was set. */
    public Header build(byte[] body) {
      return build(body.length);
    }

    private static void text(Encoder out, int code, String type, @Nullable String text) {
      if (text != null) {
        field(out, code, type);
        out.string(text);
      }
    }

    private static void field(Encoder out, int code, String type) {
      out.align(8);
      out.uint8(code);
      out.signature(type);
    }

    private static void check(long serial) {
      if (serial < 0 || serial > 0xffff_ffffL) {
        throw new IllegalArgumentException("serial " + serial + " is not 32 bits");
      }
    }
  }
}
