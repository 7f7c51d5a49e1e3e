package org.tpforward.dbus;

import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.stream.IntStream;

/**
 * Reads marshalled values from an array (D-Bus specification, "Marshaling"). Every length is
 * checked against the bytes that are there before anything of that length is made.
 */
final class Decoder {
  // Shared, as an array of these costs ten times its bytes as it is.
  private static final Value TRUE = new Value.Bool(true);
  private static final Value FALSE = new Value.Bool(false);
  private static final List<Value> BYTES =
      IntStream.range(0, 256).<Value>mapToObj(Value.Byte::new).toList();

  private final byte[] b;
  private final boolean little;
  private final int limit;
  private final String where;
  private int at;

  /**
   * @param b alignment counts from its first byte
   * @param from the first byte to read
   * @param limit the first byte not to read
   * @param where what this is, for messages
   */
  Decoder(byte[] b, int from, int limit, boolean little, String where) {
    this.b = b;
    this.at = from;
    this.limit = limit;
    this.little = little;
    this.where = where;
  }

  int position() {
    return at;
  }

  boolean atEnd() {
    return at == limit;
  }

  /** Skips padding, which must be there and zero. */
  void align(int alignment) throws ProtocolException {
    int to = Wire.align(at, alignment);
    if (to > limit) {
      throw cutShort();
    }
    while (at < to) {
      if (b[at] != 0) {
        throw error("padding is not zero");
      }
      at++;
    }
  }

  /**
   * @param depth how many containers hold this value
   */
  Value value(Type type, int depth) throws ProtocolException {
    align(type.alignment());
    return switch (type.code) {
      case 'y' -> BYTES.get(b[take(1)] & 0xff);
      case 'b' -> bool() ? TRUE : FALSE;
      case 'n' -> new Value.Int16((short) Wire.uint16(b, take(2), little));
      case 'q' -> new Value.Uint16(Wire.uint16(b, take(2), little));
      case 'i' -> new Value.Int32(Wire.int32(b, take(4), little));
      case 'u' -> new Value.Uint32(uint32());
      case 'x' -> new Value.Int64(Wire.int64(b, take(8), little));
      case 't' -> new Value.Uint64(Wire.int64(b, take(8), little));
      case 'd' -> new Value.Dbl(Double.longBitsToDouble(Wire.int64(b, take(8), little)));
      case 'h' -> new Value.UnixFd(uint32());
      case 's' -> new Value.Str(string());
      case 'o' -> new Value.ObjPath(path());
      case 'g' -> new Value.Sig(signature());
      case 'v' -> variant(deeper(depth));
      case 'a' -> array(type.parts.getFirst(), deeper(depth));
      default -> {
        int inner = deeper(depth);
        List<Value> fields = new ArrayList<>(type.parts.size());
        for (Type part : type.parts) {
          fields.add(value(part, inner));
        }
        yield new Value.Struct(fields);
      }
    };
  }

  private Value variant(int depth) throws ProtocolException {
    return new Value.Variant(value(variantType(), depth));
  }

  private Value array(Type element, int depth) throws ProtocolException {
    int start = at;
    long length = uint32();
    if (length > Limits.ARRAY) {
      throw error(start, "array of " + length + " bytes, the limit is " + Limits.ARRAY);
    }
    align(element.alignment());
    if (length > limit - at) {
      throw error(start, "array of " + length + " bytes, only " + (limit - at) + " are left");
    }
    int end = at + (int) length;
    if (element.code == 'y') {
      byte[] bytes = Arrays.copyOfRange(b, at, end);
      at = end;
      return new Value.Bytes(bytes);
    }
    if (element.code == '{') {
      return dict(element, start, end, depth);
    }
    List<Value> elements = at == end ? List.of() : new ArrayList<>();
    while (at < end) {
      elements.add(value(element, depth));
    }
    filled(start, end);
    return new Value.Array(element.signature(), elements);
  }

  private Value dict(Type entry, int start, int end, int depth) throws ProtocolException {
    Type key = entry.parts.get(0);
    Type val = entry.parts.get(1);
    int inner = at < end ? deeper(depth) : depth;
    List<Value.Entry> entries = new ArrayList<>();
    while (at < end) {
      align(8);
      Value k = value(key, inner);
      entries.add(new Value.Entry(k, value(val, inner)));
    }
    filled(start, end);
    return new Value.Dict(key.signature(), val.signature(), entries);
  }

  private void filled(int start, int end) throws ProtocolException {
    if (at != end) {
      throw error(start, "array ends within an element");
    }
  }

  private int deeper(int depth) throws ProtocolException {
    if (depth == Limits.TOTAL_NESTING) {
      throw error("values nest over " + Limits.TOTAL_NESTING + " containers");
    }
    return depth + 1;
  }

  private boolean bool() throws ProtocolException {
    int start = at;
    long value = uint32();
    if (value > 1) {
      throw error(start, "boolean is neither 0 nor 1");
    }
    return value == 1;
  }

  private long uint32() throws ProtocolException {
    return Wire.uint32(b, take(4), little);
  }

  private String string() throws ProtocolException {
    int start = at;
    int length = textLength(uint32(), start);
    String s = Texts.decode(b, take(length + 1), length);
    if (s == null) {
      throw error(start, "string is not UTF-8 without NUL");
    }
    return s;
  }

  private String path() throws ProtocolException {
    int start = at;
    int length = textLength(uint32(), start);
    int from = take(length + 1);
    if (!Names.isObjectPath(b, from, from + length)) {
      throw error(start, "not an object path");
    }
    return ascii(from, length);
  }

  private String signature() throws ProtocolException {
    int start = at;
    int length = textLength(b[take(1)] & 0xff, start);
    int from = take(length + 1);
    String problem = Type.problem(b, from, from + length);
    if (problem != null) {
      throw error(start, problem);
    }
    return ascii(from, length);
  }

  private Type variantType() throws ProtocolException {
    int start = at;
    int length = textLength(b[take(1)] & 0xff, start);
    int from = take(length + 1);
    Type basic = length == 1 ? Type.basic(b[from]) : null;
    if (basic != null) {
      return basic;
    }
    String problem = Type.problemOfSingle(b, from, from + length);
    if (problem != null) {
      throw error(start, problem);
    }
    return Type.parse(ascii(from, length)).getFirst();
  }

  /** Checks that a text of this length is there, with the NUL that follows it. */
  private int textLength(long length, int start) throws ProtocolException {
    if (length >= limit - at) {
      throw error(start, "text of " + length + " bytes, only " + (limit - at) + " are left");
    }
    if (b[at + (int) length] != 0) {
      throw error(start, "text is not followed by NUL");
    }
    return (int) length;
  }

  private String ascii(int from, int length) {
    return length == 0 ? "" : new String(b, from, length, StandardCharsets.ISO_8859_1);
  }

  /** Where the next {@code n} bytes start; they are read by the caller. */
  private int take(int n) throws ProtocolException {
    if (n > limit - at) {
      throw cutShort();
    }
    int start = at;
    at += n;
    return start;
  }

  private ProtocolException cutShort() {
    return error("value is cut short");
  }

  ProtocolException error(String what) {
    return error(at, what);
  }

  private ProtocolException error(int position, String what) {
    return ProtocolException.at(where, position, what);
  }
}
