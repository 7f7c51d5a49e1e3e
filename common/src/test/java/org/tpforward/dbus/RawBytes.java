package org.tpforward.dbus;

import java.io.ByteArrayOutputStream;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;

/** Bytes written by hand, so that wrong ones can be written too, and the encoder proves nothing. */
final class RawBytes {
  private final ByteOrder order;
  private final ByteArrayOutputStream out = new ByteArrayOutputStream();

  RawBytes(ByteOrder order) {
    this.order = order;
  }

  RawBytes u8(int... values) {
    for (int value : values) {
      out.write(value);
    }
    return this;
  }

  RawBytes u16(int value) {
    return bytes(ByteBuffer.allocate(2).order(order).putShort((short) value).array());
  }

  RawBytes u32(long value) {
    return bytes(ByteBuffer.allocate(4).order(order).putInt((int) value).array());
  }

  RawBytes u64(long value) {
    return bytes(ByteBuffer.allocate(8).order(order).putLong(value).array());
  }

  RawBytes str(String s) {
    byte[] text = s.getBytes(StandardCharsets.UTF_8);
    return u32(text.length).bytes(text).u8(0);
  }

  RawBytes sig(String s) {
    return u8(s.length()).bytes(s.getBytes(StandardCharsets.ISO_8859_1)).u8(0);
  }

  RawBytes bytes(byte[] bytes) {
    out.writeBytes(bytes);
    return this;
  }

  RawBytes zeros(int n) {
    return bytes(new byte[n]);
  }

  RawBytes pad(int alignment) {
    while (out.size() % alignment != 0) {
      out.write(0);
    }
    return this;
  }

  byte[] toArray() {
    return out.toByteArray();
  }
}
