package org.tpforward.agent.telepathy;

import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.tpforward.dbus.Value;

/**
 * An {@code a{sv}} that somebody else has filled: what is missing or of another type is as if it
 * were not there.
 *
 * @param dict the values
 * @param prefix goes before each key, such as an interface's name and a dot
 */
@SuppressWarnings("JavaLangClash")
record Properties(Value.Dict dict, String prefix) {
  /** Any value, without its variant. */
  @Nullable Value value(String key) {
    Value value = dict.get(prefix + key);
    return value == null ? null : value.unwrap();
  }

  /** A string or an object path, empty if there is none. */
  String text(String key) {
    return Properties.text(value(key));
  }

  /** Any whole number, the 64 bits of an unsigned one; {@code otherwise} if there is none. */
  long number(String key, long otherwise) {
    Value value = value(key);
    return value == null ? otherwise : number(value, otherwise);
  }

  boolean isTrue(String key) {
    return value(key) instanceof Value.Bool(boolean value) && value;
  }

  /** A dictionary, null if there is none. */
  Value.@Nullable Dict dict(String key) {
    return value(key) instanceof Value.Dict value ? value : null;
  }

  static String text(@Nullable Value value) {
    return switch (value == null ? null : value.unwrap()) {
      case Value.Str(String s) -> s;
      case Value.ObjPath(String s) -> s;
      case null, default -> "";
    };
  }

  static long number(Value value, long otherwise) {
    return switch (value.unwrap()) {
      case Value.Byte(int n) -> n;
      case Value.Int16(int n) -> n;
      case Value.Uint16(int n) -> n;
      case Value.Int32(int n) -> n;
      case Value.Uint32(long n) -> n;
      case Value.Int64(long n) -> n;
      case Value.Uint64(long n) -> n;
      default -> otherwise;
    };
  }

  /** The strings of an array. */
  static List<String> texts(@Nullable Value value) {
    List<String> texts = new ArrayList<>();
    if (value != null && value.unwrap() instanceof Value.Array array) {
      for (Value element : array.elements()) {
        texts.add(text(element));
      }
    }
    return texts;
  }
}
