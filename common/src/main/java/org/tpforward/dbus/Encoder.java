package org.tpforward.dbus;

import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.List;

/**
 * Writes marshalled values into an array that grows (D-Bus specification, "Marshaling"). What would
 * be over a limit of the specification is an IllegalArgumentException.
 */
final class Encoder {
  private final boolean little;
  private byte[] b = new byte[128];
  private int at;

  Encoder(boolean little) {
    this.little = little;
  }

  int position() {
    return at;
  }

  byte[] toArray() {
    return Arrays.copyOf(b, at);
  }

  void align(int alignment) {
    int to = Wire.align(at, alignment);
    room(to - at);
    at = to; // what lies beyond is zero still
  }

  void uint8(int value) {
    room(1);
    b[at++] = (byte) value;
  }

  /** Aligns by itself, as all of these do. */
  void uint32(int value) {
    align(4);
    room(4);
    Wire.putInt32(b, at, little, value);
    at += 4;
  }

  void patchUint32(int position, int value) {
    Wire.putInt32(b, position, little, value);
  }

  /** Types {@code s} and {@code o}. */
  void string(String s) {
    byte[] text = s.getBytes(StandardCharsets.UTF_8);
    uint32(text.length);
    bytes(text, text.length + 1);
  }

  void signature(String s) {
    byte[] text = s.getBytes(StandardCharsets.ISO_8859_1);
    uint8(text.length);
    bytes(text, text.length + 1);
  }

  /**
   * @param depth how many containers hold this value
   */
  void value(Value value, int depth) {
    switch (value) {
      case Value.Byte(int v) -> uint8(v);
      case Value.Bool(boolean v) -> uint32(v ? 1 : 0);
      case Value.Int16(int v) -> uint16(v);
      case Value.Uint16(int v) -> uint16(v);
      case Value.Int32(int v) -> uint32(v);
      case Value.Uint32(long v) -> uint32((int) v);
      case Value.UnixFd(long v) -> uint32((int) v);
      case Value.Int64(long v) -> uint64(v);
      case Value.Uint64(long v) -> uint64(v);
      case Value.Dbl(double v) -> uint64(Double.doubleToRawLongBits(v));
      case Value.Str(String v) -> string(v);
      case Value.ObjPath(String v) -> string(v);
      case Value.Sig(String v) -> signature(v);
      case Value.Variant(Value v) -> variant(v, deeper(depth));
      case Value.Bytes v -> {
        deeper(depth);
        byteArray(v);
      }
      case Value.Array v -> array(v, deeper(depth));
      case Value.Dict v -> dict(v, deeper(depth));
      case Value.Struct(List<Value> fields) -> {
        int inner = deeper(depth);
        align(8);
        for (Value field : fields) {
          value(field, inner);
        }
      }
    }
  }

  private void variant(Value value, int depth) {
    String signature = value.signature();
    String problem = Type.problemOfSingle(signature);
    if (problem != null) {
      throw new IllegalArgumentException(problem);
    }
    signature(signature);
    value(value, depth);
  }

  private void byteArray(Value.Bytes bytes) {
    int start = openArray(1);
    room(bytes.length());
    bytes.copyTo(b, at);
    at += bytes.length();
    closeArray(start, 1);
  }

  private void array(Value.Array array, int depth) {
    int alignment = Type.alignment(array.elementSignature().charAt(0));
    int start = openArray(alignment);
    for (Value element : array.elements()) {
      value(element, depth);
    }
    closeArray(start, alignment);
  }

  private void dict(Value.Dict dict, int depth) {
    int start = openArray(8);
    int inner = dict.entries().isEmpty() ? depth : deeper(depth);
    for (Value.Entry entry : dict.entries()) {
      align(8);
      value(entry.key(), inner);
      value(entry.value(), inner);
    }
    closeArray(start, 8);
  }

  /** Where the length stands. */
  private int openArray(int alignment) {
    uint32(0);
    int start = at - 4;
    align(alignment);
    return start;
  }

  private void closeArray(int start, int alignment) {
    int length = at - Wire.align(start + 4, alignment);
    if (length > Limits.ARRAY) {
      throw new IllegalArgumentException(
          "an array of " + length + " bytes, the limit is " + Limits.ARRAY);
    }
    patchUint32(start, length);
  }

  private static int deeper(int depth) {
    if (depth == Limits.TOTAL_NESTING) {
      throw new IllegalArgumentException(
          "values nest over " + Limits.TOTAL_NESTING + " containers");
    }
    return depth + 1;
  }

  private void uint16(int value) {
    align(2);
    room(2);
    b[at++] = (byte) (little ? value : value >> 8);
    b[at++] = (byte) (little ? value >> 8 : value);
  }

  private void uint64(long value) {
    align(8);
    room(8);
    Wire.putInt64(b, at, little, value);
    at += 8;
  }

  /** Writes {@code text}, and zeros up to {@code length}. */
  private void bytes(byte[] text, int length) {
    room(length);
    System.arraycopy(text, 0, b, at, text.length);
    at += length;
  }

  /** Makes room for {@code n} bytes. It may replace {@link #b}, so it is a statement of its own. */
  private void room(int n) {
    if (n > b.length - at) {
      if (n > Limits.MESSAGE - at) {
        throw new IllegalArgumentException("a message over " + Limits.MESSAGE + " bytes");
      }
      b = Arrays.copyOf(b, Math.min(Limits.MESSAGE, Math.max(at + n, 2 * b.length)));
    }
  }
}
