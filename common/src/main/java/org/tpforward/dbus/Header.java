package org.tpforward.dbus;

import java.nio.ByteOrder;
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

  private final byte[] raw;
  private final boolean little;
  private final MessageType type;
  private final HeaderFields fields;

  private Header(byte[] raw, boolean little, MessageType type, HeaderFields fields) {
    this.raw = raw;
    this.little = little;
    this.type = type;
    this.fields = fields;
  }

  /**
   * Reads and validates a header. Its fields may be 1 MiB in all, much less than the specification
   * allows: a header is held in memory, and names are short.
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
    return parseOwned(raw.clone());
  }

  /** As {@link #parse}, for an array whose length is {@link #lengthAt} and that is given away. */
  static Header parseOwned(byte[] raw) throws ProtocolException {
    if (raw[1] == 0) {
      throw ProtocolException.at("header", 1, "message type 0 is invalid");
    }
    boolean little = raw[0] == 'l';
    if (Wire.int32(raw, 8, little) == 0) {
      throw ProtocolException.at("header", 8, "serial is 0");
    }
    MessageType type = MessageType.of(raw[1] & 0xff);
    HeaderFields fields = new HeaderFields(raw, little);
    fields.require(type, Wire.int32(raw, 4, little));
    return new Header(raw, little, type, fields);
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
    return fields.replySerial;
  }

  /** In bytes, 0 to 128 MiB. */
  public int bodyLength() {
    return Wire.int32(raw, 4, little);
  }

  /** The object that is called, or that sends the signal. */
  public @Nullable String path() {
    return fields.path;
  }

  /** The interface; optional in calls. */
  public @Nullable String interfaceName() {
    return fields.interfaceName;
  }

  /** The method or signal. */
  public @Nullable String member() {
    return fields.member;
  }

  /** The error's name. */
  public @Nullable String errorName() {
    return fields.errorName;
  }

  /** The bus name that the message is for; absent in broadcast signals. */
  public @Nullable String destination() {
    return fields.destination;
  }

  /** The unique name of the sender, as the bus wrote it (or {@code org.freedesktop.DBus}). */
  public @Nullable String sender() {
    return fields.sender;
  }

  /** The types of the body; empty if there is none. */
  public String signature() {
    return fields.signature;
  }

  /** How many file descriptors the sender says it passes; 0 if the field is absent. */
  public long unixFds() {
    return fields.unixFds;
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
    if (fields.signature.isEmpty() != (length == 0)) {
      throw new IllegalArgumentException(
          "a body of " + length + " bytes for signature '" + fields.signature + "'");
    }
    byte[] patched = raw.clone();
    Wire.putInt32(patched, 4, little, length);
    return new Header(patched, little, type, fields);
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
        + (fields.replySerial == 0 ? "" : " reply_serial=" + fields.replySerial)
        + (fields.sender == null ? "" : " sender=" + fields.sender)
        + (fields.destination == null ? "" : " destination=" + fields.destination)
        + (fields.path == null ? "" : " path=" + Texts.line(fields.path, 255))
        + (fields.member == null
            ? ""
            : " " + Objects.requireNonNullElse(fields.interfaceName, "") + "." + fields.member)
        + (fields.errorName == null ? "" : " error=" + fields.errorName)
        + " signature="
        + fields.signature
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
      text(out, HeaderFields.PATH, "o", path);
      text(out, HeaderFields.INTERFACE, "s", interfaceName);
      text(out, HeaderFields.MEMBER, "s", member);
      text(out, HeaderFields.ERROR_NAME, "s", errorName);
      if (replySerial != 0) {
        field(out, HeaderFields.REPLY_SERIAL, "u");
        out.uint32((int) replySerial);
      }
      text(out, HeaderFields.DESTINATION, "s", destination);
      text(out, HeaderFields.SENDER, "s", sender);
      if (!signature.isEmpty()) {
        field(out, HeaderFields.SIGNATURE, "g");
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
