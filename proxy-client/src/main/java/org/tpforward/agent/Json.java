package org.tpforward.agent;

import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * JSON (RFC 8259) as the control socket and {@code --json} need it: numbers are whole and fit into
 * 64 bits. Its {@code toString} gives one line, in the order in which members were put.
 */
@SuppressWarnings("JavaLangClash") // JSON's own names
public sealed interface Json {
  /** An object. */
  record Obj(Map<String, Json> members) implements Json {
    /** Takes a copy that cannot be changed. */
    public Obj {
      members = Collections.unmodifiableMap(new LinkedHashMap<>(members));
    }

    /** The member of that name, null if there is none. */
    public @Nullable Json get(String name) {
      return members.get(name);
    }

    @Override
    public String toString() {
      return JsonText.write(this);
    }
  }

  /** An array. */
  record Arr(List<Json> elements) implements Json {
    /** Takes a copy that cannot be changed. */
    public Arr {
      elements = List.copyOf(elements);
    }

    @Override
    public String toString() {
      return JsonText.write(this);
    }
  }

  /** A string. */
  record Str(String value) implements Json {
    @Override
    public String toString() {
      return JsonText.write(this);
    }
  }

  /** A whole number. */
  record Num(long value) implements Json {
    @Override
    public String toString() {
      return JsonText.write(this);
    }
  }

  /** {@code true} or {@code false}. */
  record Bool(boolean value) implements Json {
    @Override
    public String toString() {
      return JsonText.write(this);
    }
  }

  /** {@code null}. */
  record Null() implements Json {
    @Override
    public String toString() {
      return JsonText.write(this);
    }
  }

  /** A string, or null. */
  static Json of(@Nullable String value) {
    return value == null ? new Null() : new Str(value);
  }

  /** A whole number. */
  static Json of(long value) {
    return new Num(value);
  }

  /** An array of what a list's elements become. */
  static <T> Json of(List<T> list, java.util.function.Function<T, Json> each) {
    return new Arr(list.stream().map(each).toList());
  }

  /**
   * Reads one JSON text.
   *
   * @throws IllegalArgumentException saying what is wrong at which character; also for numbers that
   *     are not whole, names given twice, and nesting over 16
   */
  static Json parse(String text) {
    return new JsonParser(text).parse();
  }
}
