package org.tpforward.dbus;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * One D-Bus value of one complete type (D-Bus specification, "Type System"). Immutable, compared by
 * content. Constructors refuse with IllegalArgumentException what could not stand on the wire;
 * nesting and sizes are checked by {@link Body#encode}, which sees the whole.
 */
@SuppressWarnings("JavaLangClash") // the names are the specification's
public sealed interface Value {
  /** The signature of this value's type. */
  String signature();

  /** What is inside a variant, however often it was wrapped; any other value itself. */
  default Value unwrap() {
    Value v = this;
    while (v instanceof Variant(Value inner)) {
      v = inner;
    }
    return v;
  }

  /**
   * Type {@code y}.
   *
   * @param value 0 to 255
   */
  record Byte(int value) implements Value {
    /** Checks the range. */
    public Byte {
      range(value, 0, 0xff);
    }

    @Override
    public String signature() {
      return "y";
    }
  }

  /** Type {@code b}. */
  record Bool(boolean value) implements Value {
    @Override
    public String signature() {
      return "b";
    }
  }

  /**
   * Type {@code n}.
   *
   * @param value -32768 to 32767
   */
  record Int16(int value) implements Value {
    /** Checks the range. */
    public Int16 {
      range(value, Short.MIN_VALUE, Short.MAX_VALUE);
    }

    @Override
    public String signature() {
      return "n";
    }
  }

  /**
   * Type {@code q}.
   *
   * @param value 0 to 65535
   */
  record Uint16(int value) implements Value {
    /** Checks the range. */
    public Uint16 {
      range(value, 0, 0xffff);
    }

    @Override
    public String signature() {
      return "q";
    }
  }

  /** Type {@code i}. */
  record Int32(int value) implements Value {
    @Override
    public String signature() {
      return "i";
    }
  }

  /**
   * Type {@code u}.
   *
   * @param value 0 to 2^32-1
   */
  record Uint32(long value) implements Value {
    /** Checks the range. */
    public Uint32 {
      range(value, 0, 0xffff_ffffL);
    }

    @Override
    public String signature() {
      return "u";
    }
  }

  /** Type {@code x}. */
  record Int64(long value) implements Value {
    @Override
    public String signature() {
      return "x";
    }
  }

  /**
   * Type {@code t}.
   *
   * @param value the 64 bits, to be read as unsigned
   */
  record Uint64(long value) implements Value {
    @Override
    public String signature() {
      return "t";
    }
  }

  /** Type {@code d}. */
  record Dbl(double value) implements Value {
    @Override
    public String signature() {
      return "d";
    }
  }

  /**
   * Type {@code s}.
   *
   * @param value without NUL and without unpaired surrogates
   */
  record Str(String value) implements Value {
    /** Checks that the string can be written. */
    public Str {
      if (!Texts.isText(value)) {
        throw new IllegalArgumentException("a string with a NUL or an unpaired surrogate");
      }
    }

    @Override
    public String signature() {
      return "s";
    }
  }

  /** Type {@code o}. */
  record ObjPath(String value) implements Value {
    /** Checks the grammar. */
    public ObjPath {
      if (!Names.isObjectPath(value)) {
        throw new IllegalArgumentException("not an object path");
      }
    }

    @Override
    public String signature() {
      return "o";
    }
  }

  /**
   * Type {@code g}.
   *
   * @param value any number of complete types
   */
  record Sig(String value) implements Value {
    /** Checks the grammar. */
    public Sig {
      valid(Type.problem(value));
    }

    @Override
    public String signature() {
      return "g";
    }
  }

  /**
   * Type {@code h}.
   *
   * @param index into the descriptors that came with the message, 0 to 2^32-1
   */
  record UnixFd(long index) implements Value {
    /** Checks the range. */
    public UnixFd {
      range(index, 0, 0xffff_ffffL);
    }

    @Override
    public String signature() {
      return "h";
    }
  }

  /**
   * Type {@code a…}, except for the two that have a record of their own: {@link Bytes} and {@link
   * Dict}.
   *
   * @param elementSignature one complete type, neither {@code y} nor a dict entry
   */
  record Array(String elementSignature, List<Value> elements) implements Value {
    /** Checks that every element is of the one type. */
    public Array {
      if (elementSignature.equals("y")) {
        throw new IllegalArgumentException("an array of bytes is written as Value.Bytes");
      }
      valid(Type.problemOfSingle(elementSignature));
      elements = List.copyOf(elements);
      for (Value element : elements) {
        typed(element, elementSignature);
      }
    }

    @Override
    public String signature() {
      return "a" + elementSignature;
    }
  }

  /** Type {@code ay}. */
  @SuppressWarnings("ArrayRecordComponent") // copied both ways, and compared by content
  record Bytes(byte[] value) implements Value {
    /** Takes a copy. */
    public Bytes {
      value = value.clone();
    }

    /** A copy. */
    @Override
    public byte[] value() {
      return value.clone();
    }

    /** How many bytes. */
    public int length() {
      return value.length;
    }

    /** Copies all bytes to {@code target}, from index {@code at} on. */
    void copyTo(byte[] target, int at) {
      System.arraycopy(value, 0, target, at, value.length);
    }

    @Override
    public String signature() {
      return "ay";
    }

    @Override
    public boolean equals(@Nullable Object other) {
      return other instanceof Bytes that && Arrays.equals(value, that.value);
    }

    @Override
    public int hashCode() {
      return Arrays.hashCode(value);
    }

    /** Only the length: such arrays hold file names and worse. */
    @Override
    public String toString() {
      return "Bytes[length=" + value.length + "]";
    }
  }

  /**
   * Type <code>a{..}</code>. Order and duplicate keys are kept as they were.
   *
   * @param keySignature a basic type
   * @param valueSignature one complete type
   */
  record Dict(String keySignature, String valueSignature, List<Entry> entries) implements Value {
    /** Checks that every entry is of the two types. */
    public Dict {
      valid(Type.problemOfSingle("a{" + keySignature + valueSignature + "}"));
      if (keySignature.length() != 1) {
        throw new IllegalArgumentException("a dict's key must be a basic type");
      }
      entries = List.copyOf(entries);
      for (Entry entry : entries) {
        typed(entry.key, keySignature);
        typed(entry.value, valueSignature);
      }
    }

    /**
     * The value under a key that is a string, an object path or a signature. Of several the last
     * one, as with every hash table that such a dict is read into. Looks through all entries.
     *
     * @return as it stands, so a {@link Variant} in an <code>a{sv}</code>; null if there is none
     */
    public @Nullable Value get(String key) {
      for (int i = entries.size() - 1; i >= 0; i--) {
        Entry entry = entries.get(i);
        String text =
            switch (entry.key) {
              case Str(String s) -> s;
              case ObjPath(String s) -> s;
              case Sig(String s) -> s;
              default -> null;
            };
        if (key.equals(text)) {
          return entry.value;
        }
      }
      return null;
    }

    @Override
    public String signature() {
      return "a{" + keySignature + valueSignature + "}";
    }
  }

  /** One entry of a {@link Dict}; no value by itself. */
  record Entry(Value key, Value value) {}

  /**
   * Type {@code (…)}.
   *
   * @param fields at least one
   */
  record Struct(List<Value> fields) implements Value {
    /** Checks that there is a field. */
    public Struct {
      fields = List.copyOf(fields);
      if (fields.isEmpty()) {
        throw new IllegalArgumentException("a struct has at least one field");
      }
    }

    @Override
    public String signature() {
      StringBuilder s = new StringBuilder("(");
      for (Value field : fields) {
        s.append(field.signature());
      }
      return s.append(')').toString();
    }
  }

  /** Type {@code v}. */
  record Variant(Value value) implements Value {
    @Override
    public String signature() {
      return "v";
    }
  }

  /** Type {@code s}. */
  static Str of(String value) {
    return new Str(value);
  }

  /** Type {@code b}. */
  static Bool of(boolean value) {
    return new Bool(value);
  }

  /** Type {@code i}. */
  static Int32 of(int value) {
    return new Int32(value);
  }

  /** Type {@code d}. */
  static Dbl of(double value) {
    return new Dbl(value);
  }

  /** Type {@code ay}. */
  static Bytes of(byte[] value) {
    return new Bytes(value);
  }

  /** Type {@code y}, 0 to 255. */
  static Byte y(int value) {
    return new Byte(value);
  }

  /** Type {@code n}. */
  static Int16 n(int value) {
    return new Int16(value);
  }

  /** Type {@code q}, 0 to 65535. */
  static Uint16 q(int value) {
    return new Uint16(value);
  }

  /** Type {@code u}, 0 to 2^32-1. */
  static Uint32 u(long value) {
    return new Uint32(value);
  }

  /** Type {@code x}. */
  static Int64 x(long value) {
    return new Int64(value);
  }

  /** Type {@code t}: the 64 bits, unsigned. */
  static Uint64 t(long value) {
    return new Uint64(value);
  }

  /** Type {@code o}. */
  static ObjPath o(String value) {
    return new ObjPath(value);
  }

  /** Type {@code g}. */
  static Sig g(String value) {
    return new Sig(value);
  }

  /** Type {@code v}. */
  static Variant v(Value value) {
    return new Variant(value);
  }

  /** A struct of these fields. */
  static Struct struct(Value... fields) {
    return new Struct(List.of(fields));
  }

  /** An array of these elements, all of type {@code elementSignature}. */
  static Array array(String elementSignature, Value... elements) {
    return new Array(elementSignature, List.of(elements));
  }

  /** Type {@code as}. */
  static Array strings(List<String> values) {
    List<Value> elements = new ArrayList<>(values.size());
    for (String value : values) {
      elements.add(new Str(value));
    }
    return new Array("s", elements);
  }

  /** Type <code>a{sv}</code>, in the map's order; the values are wrapped in variants here. */
  static Dict dict(Map<String, ? extends Value> values) {
    List<Entry> entries = new ArrayList<>(values.size());
    values.forEach((key, value) -> entries.add(new Entry(new Str(key), new Variant(value))));
    return new Dict("s", "v", entries);
  }

  private static void range(long value, long min, long max) {
    if (value < min || value > max) {
      throw new IllegalArgumentException(value + " is not within " + min + " to " + max);
    }
  }

  private static void valid(@Nullable String problem) {
    if (problem != null) {
      throw new IllegalArgumentException(problem);
    }
  }

  private static void typed(Value value, String signature) {
    if (match(value, signature, 0) != signature.length()) {
      throw new IllegalArgumentException(
          "a value of type " + value.signature() + " where " + signature + " stands");
    }
  }

  /**
   * Compares a value's type without making its signature, which for a large array of structs would
   * be most of the work.
   *
   * @return where the type ends in {@code s}, -1 if it is another one
   */
  private static int match(Value value, String s, int at) {
    return switch (value) {
      case Struct(List<Value> fields) -> {
        if (at >= s.length() || s.charAt(at) != '(') {
          yield -1;
        }
        int i = at + 1;
        for (Value field : fields) {
          i = match(field, s, i);
          if (i < 0) {
            yield -1;
          }
        }
        yield i < s.length() && s.charAt(i) == ')' ? i + 1 : -1;
      }
      case Array array -> {
        String element = array.elementSignature;
        yield s.startsWith("a", at) && s.startsWith(element, at + 1)
            ? at + 1 + element.length()
            : -1;
      }
      default -> {
        String own = value.signature();
        yield s.startsWith(own, at) ? at + own.length() : -1;
      }
    };
  }
}
