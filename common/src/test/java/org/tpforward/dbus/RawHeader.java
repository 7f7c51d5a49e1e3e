package org.tpforward.dbus;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;

/** A header written by hand; everything in it can be made wrong. */
final class RawHeader {
  final ByteOrder order;
  int endian;
  int type = 1;
  int flags = 0;
  int version = 1;
  long bodyLength = 0;
  long serial = 7;
  private final RawBytes fields;
  private long fieldsLength = -1;

  RawHeader(ByteOrder order) {
    this.order = order;
    this.endian = order == ByteOrder.LITTLE_ENDIAN ? 'l' : 'B';
    this.fields = new RawBytes(order);
  }

  /** A call with all that it needs. */
  static RawHeader call(ByteOrder order) {
    return new RawHeader(order)
        .text(1, "o", "/a/b")
        .text(2, "s", "org.example.I")
        .text(3, "s", "M");
  }

  RawHeader type(int type) {
    this.type = type;
    return this;
  }

  RawHeader endian(int endian) {
    this.endian = endian;
    return this;
  }

  RawHeader flags(int flags) {
    this.flags = flags;
    return this;
  }

  RawHeader version(int version) {
    this.version = version;
    return this;
  }

  RawHeader serial(long serial) {
    this.serial = serial;
    return this;
  }

  RawHeader body(String signature, long length) {
    this.bodyLength = length;
    fields.pad(8).u8(8).sig("g").sig(signature);
    return this;
  }

  RawHeader bodyLength(long length) {
    this.bodyLength = length;
    return this;
  }

  RawHeader text(int code, String type, String value) {
    fields.pad(8).u8(code).sig(type).str(value);
    return this;
  }

  RawHeader number(int code, long value) {
    fields.pad(8).u8(code).sig("u").u32(value);
    return this;
  }

  RawHeader field(byte[] bytes) {
    fields.pad(8).bytes(bytes);
    return this;
  }

  RawHeader fieldsLength(long length) {
    this.fieldsLength = length;
    return this;
  }

  byte[] toArray() {
    byte[] f = fields.toArray();
    return new RawBytes(order)
        .u8(endian, type, flags, version)
        .u32(bodyLength)
        .u32(serial)
        .u32(fieldsLength >= 0 ? fieldsLength : f.length)
        .bytes(f)
        .pad(8)
        .toArray();
  }

  /** The array with one byte changed. */
  static byte[] with(byte[] array, int at, int value) {
    return ByteBuffer.wrap(array.clone()).put(at, (byte) value).array();
  }
}
