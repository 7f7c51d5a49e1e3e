package org.tpforward.dbus;

import java.util.ArrayList;
import java.util.List;
import java.util.Random;

/** Values of every type, nested, at random; the same for the same seed. */
final class RandomValues {
  private static final String BASIC = "ybnqiuxtdsogh";
  private static final String[] TEXTS = {
    "", "a", "org.example", "h\u00e9\u20ac", "\ud83d\ude00", "\ufffd"
  };
  private static final String[] PATHS = {"/", "/a", "/org/example/Thing_1"};
  private static final String[] SIGNATURES = {"", "s", "a{sv}", "(sq)ay"};

  private final Random random;

  RandomValues(Random random) {
    this.random = random;
  }

  List<Value> body() {
    List<Value> values = new ArrayList<>();
    for (int i = random.nextInt(5); i >= 0; i--) {
      values.add(value(type(0)));
    }
    return values;
  }

  private Type type(int depth) {
    return Type.parse(signature(depth)).getFirst();
  }

  private String signature(int depth) {
    return switch (depth > 3 ? 9 : random.nextInt(10)) {
      case 0 -> "v";
      case 1 -> "ay";
      case 2 -> "a{" + basic() + signature(depth + 1) + "}";
      case 3 -> "a" + signature(depth + 1);
      case 4 -> {
        StringBuilder s = new StringBuilder("(");
        for (int i = random.nextInt(3); i >= 0; i--) {
          s.append(signature(depth + 1));
        }
        yield s.append(')').toString();
      }
      default -> basic();
    };
  }

  private String basic() {
    return String.valueOf(BASIC.charAt(random.nextInt(BASIC.length())));
  }

  private Value value(Type type) {
    return switch (type.code) {
      case 'y' -> Value.y(random.nextInt(256));
      case 'b' -> Value.of(random.nextBoolean());
      case 'n' -> Value.n((short) random.nextInt());
      case 'q' -> Value.q(random.nextInt(65536));
      case 'i' -> Value.of(random.nextInt());
      case 'u' -> Value.u(random.nextInt() & 0xffff_ffffL);
      case 'x' -> Value.x(random.nextLong());
      case 't' -> Value.t(random.nextLong());
      case 'd' -> Value.of(random.nextGaussian());
      case 'h' -> new Value.UnixFd(random.nextInt(3));
      case 's' -> Value.of(TEXTS[random.nextInt(TEXTS.length)]);
      case 'o' -> Value.o(PATHS[random.nextInt(PATHS.length)]);
      case 'g' -> Value.g(SIGNATURES[random.nextInt(SIGNATURES.length)]);
      case 'v' -> Value.v(value(type(3)));
      case 'a' -> array(type.parts.getFirst());
      default -> new Value.Struct(type.parts.stream().map(this::value).toList());
    };
  }

  private Value array(Type element) {
    int n = random.nextInt(4);
    if (element.code == 'y') {
      byte[] bytes = new byte[n];
      random.nextBytes(bytes);
      return Value.of(bytes);
    }
    if (element.code == '{') {
      List<Value.Entry> entries = new ArrayList<>();
      for (int i = 0; i < n; i++) {
        entries.add(new Value.Entry(value(element.parts.get(0)), value(element.parts.get(1))));
      }
      return new Value.Dict(
          element.parts.get(0).signature(), element.parts.get(1).signature(), entries);
    }
    List<Value> elements = new ArrayList<>();
    for (int i = 0; i < n; i++) {
      elements.add(value(element));
    }
    return new Value.Array(element.signature(), elements);
  }
}
