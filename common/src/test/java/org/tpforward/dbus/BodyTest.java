package org.tpforward.dbus;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.sun.management.ThreadMXBean;
import java.lang.management.ManagementFactory;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

class BodyTest {
  static Stream<ByteOrder> orders() {
    return Stream.of(ByteOrder.LITTLE_ENDIAN, ByteOrder.BIG_ENDIAN);
  }

  @ParameterizedTest
  @MethodSource("orders")
  void everyTypeIsWrittenAsTheSpecificationSays(ByteOrder order) throws Exception {
    byte[] body =
        new RawBytes(order)
            .u8(200)
            .pad(4)
            .u32(1)
            .u16(-2)
            .u16(65534)
            .u32(-3)
            .u32(0xfffffffdL)
            .pad(8)
            .u64(-4)
            .u64(-5)
            .u64(Double.doubleToRawLongBits(1.5))
            .str("h\u00e9 \ud83d\ude00 \ufffd")
            .pad(4)
            .str("/a")
            .sig("a{sv}")
            .pad(4)
            .u32(9)
            .toArray();
    List<Value> values =
        List.of(
            Value.y(200),
            Value.of(true),
            Value.n(-2),
            Value.q(65534),
            Value.of(-3),
            Value.u(0xfffffffdL),
            Value.x(-4),
            Value.t(-5),
            Value.of(1.5),
            Value.of("h\u00e9 \ud83d\ude00 \ufffd"),
            Value.o("/a"),
            Value.g("a{sv}"),
            new Value.UnixFd(9));
    check("ybnqiuxtdsogh", order, body, values);
  }

  @ParameterizedTest
  @MethodSource("orders")
  void containersAreWrittenAsTheSpecificationSays(ByteOrder order) throws Exception {
    byte[] array = new RawBytes(order).u32(3).u8(0, 7, 255).pad(4).toArray();
    // Though it is empty, the padding to its first element is there.
    byte[] empty = new RawBytes(order).bytes(array).u32(0).pad(8).toArray();
    byte[] structs =
        new RawBytes(order).bytes(empty).u32(12).pad(8).str("a").pad(4).u32(5).toArray();
    byte[] body =
        new RawBytes(order)
            .bytes(structs)
            .u32(33)
            .pad(8)
            .str("k")
            .sig("u")
            .pad(4)
            .u32(1)
            .pad(8)
            .str("k")
            .sig("s")
            .pad(4)
            .str("")
            .sig("(sq)")
            .pad(8)
            .str("::1")
            .u16(80)
            .toArray();
    List<Value> values =
        List.of(
            Value.of(new byte[] {0, 7, -1}),
            Value.array("t"),
            Value.array("(su)", Value.struct(Value.of("a"), Value.u(5))),
            new Value.Dict(
                "s",
                "v",
                List.of(
                    new Value.Entry(Value.of("k"), Value.v(Value.u(1))),
                    new Value.Entry(Value.of("k"), Value.v(Value.of(""))))),
            Value.v(Value.struct(Value.of("::1"), Value.q(80))));
    check("ayata(su)a{sv}v", order, body, values);
  }

  private static void check(String signature, ByteOrder order, byte[] body, List<Value> values)
      throws ProtocolException {
    assertThat(Body.signature(values)).isEqualTo(signature);
    assertThat(Body.encode(order, values)).isEqualTo(body);
    assertThat(Body.decode(signature, order, body)).isEqualTo(values);
  }

  @Test
  void noValuesAreNoBytes() throws Exception {
    check("", ByteOrder.LITTLE_ENDIAN, new byte[0], List.of());
  }

  @Test
  void aNanKeepsItsBits() throws Exception {
    for (long bits : new long[] {0x7ff8000000000001L, 0xfff4000000000002L, 1L << 63}) {
      byte[] body = new RawBytes(ByteOrder.BIG_ENDIAN).u64(bits).toArray();
      List<Value> values = Body.decode("d", ByteOrder.BIG_ENDIAN, body);
      assertThat(Body.encode(ByteOrder.BIG_ENDIAN, values)).isEqualTo(body);
    }
  }

  static Stream<Arguments> malformed() {
    return orders().flatMap(BodyTest::malformed);
  }

  private static Stream<Arguments> malformed(ByteOrder order) {
    return Stream.of(
        bad(order, "b", "boolean", b -> b.u32(2)),
        bad(order, "yu", "padding", b -> b.u8(1, 0, 1, 0).u32(1)),
        bad(order, "y(y)", "padding", b -> b.u8(1, 0, 0, 0, 0, 0, 0, 1, 1)),
        bad(order, "u", "cut short", b -> b.zeros(3)),
        bad(order, "q", "cut short", b -> b.zeros(1)),
        bad(order, "t", "cut short", b -> b.zeros(7)),
        bad(order, "y", "cut short", b -> b),
        bad(order, "yu", "cut short", b -> b.u8(1, 0)),
        bad(order, "", "follow", b -> b.u8(0)),
        bad(order, "y", "3 bytes follow", b -> b.zeros(4)),
        bad(order, "s", "only 2 are left", b -> b.u32(2).u8('a', 0)),
        bad(order, "s", "4294967295 bytes", b -> b.u32(0xffffffffL).u8('a', 0)),
        bad(order, "s", "NUL", b -> b.u32(1).u8('a', 'b')),
        bad(order, "s", "UTF-8", b -> b.u32(2).u8('a', 0, 0)),
        bad(order, "s", "UTF-8", b -> b.u32(1).u8(0x80, 0)),
        bad(order, "s", "UTF-8", b -> b.u32(2).u8(0xc0, 0x80, 0)),
        bad(order, "s", "UTF-8", b -> b.u32(3).u8(0xed, 0xa0, 0x80, 0)),
        bad(order, "s", "UTF-8", b -> b.u32(4).u8(0xf4, 0x90, 0x80, 0x80, 0)),
        bad(order, "o", "object path", b -> b.str("")),
        bad(order, "o", "object path", b -> b.str("/a/")),
        bad(order, "g", "signature", b -> b.sig("a")),
        bad(order, "g", "only 1 are left", b -> b.u8(1, 'y')),
        bad(order, "g", "NUL", b -> b.u8(1, 'y', 'y')),
        bad(order, "v", "within a type", b -> b.sig("")),
        bad(order, "v", "more than one", b -> b.sig("yy").u8(1, 1)),
        bad(order, "v", "cut short", b -> b.sig("u")),
        bad(order, "v", "dict entry", b -> b.sig("a{vs}").zeros(20)),
        bad(order, "ay", "only 2 are left", b -> b.u32(3).zeros(2)),
        bad(order, "ay", "limit is 67108864", b -> b.u32((64 << 20) + 1)),
        bad(order, "ay", "limit is 67108864", b -> b.u32(0xffffffffL)),
        bad(order, "au", "within an element", b -> b.u32(6).zeros(8)),
        bad(order, "at", "cut short", b -> b.u32(0)),
        bad(order, "at", "padding", b -> b.u32(0).u32(1)),
        bad(order, "a(yy)", "within an element", b -> b.u32(9).pad(8).zeros(16)),
        bad(order, "a{yy}", "within an element", b -> b.u32(1).pad(8).zeros(2)),
        bad(order, "a{ys}", "only 1 are left", b -> b.u32(9).pad(8).u8(1).pad(4).u32(1).u8(0)));
  }

  private interface Writing {
    RawBytes to(RawBytes bytes);
  }

  private static Arguments bad(ByteOrder order, String signature, String message, Writing writing) {
    return Arguments.of(order, signature, message, writing.to(new RawBytes(order)).toArray());
  }

  @ParameterizedTest
  @MethodSource("malformed")
  void malformedBodiesAreRefusedWithOneLine(
      ByteOrder order, String signature, String message, byte[] body) {
    assertThatThrownBy(() -> Body.decode(signature, order, body))
        .isInstanceOf(ProtocolException.class)
        .hasMessageContaining(message)
        .hasMessageMatching("[ -~]+ \\(byte [0-9]+ of the body\\)");
  }

  @Test
  void theSignatureOfTheHeaderIsCheckedToo() {
    assertThatThrownBy(() -> Body.decode("a", ByteOrder.LITTLE_ENDIAN, new byte[4]))
        .isInstanceOf(ProtocolException.class);
  }

  /** A value in {@code n} variants, one in the other. */
  private static Value variants(int n) {
    Value value = Value.y(1);
    for (int i = 0; i < n; i++) {
      value = Value.v(value);
    }
    return value;
  }

  @Test
  void valuesNestAtMost64Deep() throws Exception {
    for (ByteOrder order : orders().toList()) {
      List<Value> deep = List.of(variants(64));
      assertThat(Body.decode("v", order, Body.encode(order, deep))).isEqualTo(deep);
      assertThatThrownBy(() -> Body.encode(order, List.of(variants(65))))
          .isInstanceOf(IllegalArgumentException.class);
      RawBytes deeper = new RawBytes(order);
      for (int i = 0; i < 64; i++) {
        deeper.sig("v");
      }
      assertThatThrownBy(() -> Body.decode("v", order, deeper.sig("y").u8(1).toArray()))
          .isInstanceOf(ProtocolException.class)
          .hasMessageContaining("nest over 64");
    }
  }

  @Test
  void variantsDoNotHelpArraysBeyondTheTotal() {
    // Each level is a variant and an array in it, whose own signature is shallow.
    Value value = Value.y(1);
    for (int i = 0; i < 32; i++) {
      value = Value.v(Value.array("v", Value.v(value)));
    }
    Value deep = value;
    assertThatThrownBy(() -> Body.encode(ByteOrder.LITTLE_ENDIAN, List.of(deep)))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("nest over 64");
    RawBytes body = new RawBytes(ByteOrder.LITTLE_ENDIAN);
    for (int i = 1; i <= 33; i++) {
      body.sig("av").pad(4).u32(8L * (33 - i));
    }
    byte[] nested = body.toArray();
    assertThatThrownBy(() -> Body.decode("v", ByteOrder.LITTLE_ENDIAN, nested))
        .isInstanceOf(ProtocolException.class)
        .hasMessageContaining("nest over 64");
  }

  @Test
  void whatIsOverALimitIsNotWritten() {
    List<Value> many = new ArrayList<>();
    for (int i = 0; i < 256; i++) {
      many.add(Value.y(0));
    }
    assertThatThrownBy(() -> Body.encode(ByteOrder.LITTLE_ENDIAN, many))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("255");
    assertThatThrownBy(
            () -> Body.encode(ByteOrder.LITTLE_ENDIAN, List.of(Value.of(new byte[(64 << 20) + 1]))))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("67108864");
  }

  @Test
  void valuesThatCannotStandOnTheWireAreNotMade() {
    assertNotMade(() -> Value.y(256));
    assertNotMade(() -> Value.n(32768));
    assertNotMade(() -> Value.q(-1));
    assertNotMade(() -> Value.u(1L << 32));
    assertNotMade(() -> Value.of("a\0"));
    assertNotMade(() -> Value.of("\ud800"));
    assertNotMade(() -> Value.of("\udc00\ud800"));
    assertNotMade(() -> Value.o("a"));
    assertNotMade(() -> Value.g("a"));
    assertNotMade(() -> Value.struct());
    assertNotMade(() -> Value.array("y"));
    assertNotMade(() -> Value.array("uu"));
    assertNotMade(() -> Value.array("u", Value.of("s")));
    assertNotMade(() -> Value.array("(u)", Value.struct(Value.u(1), Value.u(1))));
    assertNotMade(() -> Value.array("(uu)", Value.struct(Value.u(1))));
    assertNotMade(() -> Value.array("as", Value.array("u")));
    assertNotMade(() -> new Value.Dict("v", "s", List.of()));
    assertNotMade(() -> new Value.Dict("ss", "", List.of()));
    assertNotMade(
        () -> new Value.Dict("s", "u", List.of(new Value.Entry(Value.of("a"), Value.of("b")))));
  }

  private static void assertNotMade(Runnable making) {
    assertThatThrownBy(making::run).isInstanceOf(IllegalArgumentException.class);
  }

  @Test
  void aDictIsLookedUpByText() {
    Map<String, Value> values = new LinkedHashMap<>();
    values.put("a", Value.u(1));
    values.put("b", Value.of("x"));
    Value.Dict dict = Value.dict(values);
    assertThat(dict.signature()).isEqualTo("a{sv}");
    assertThat(dict.get("b")).isEqualTo(Value.v(Value.of("x")));
    assertThat(dict.get("c")).isNull();
    Value.Dict twice =
        new Value.Dict(
            "o",
            "u",
            List.of(
                new Value.Entry(Value.o("/a"), Value.u(1)),
                new Value.Entry(Value.o("/a"), Value.u(2))));
    assertThat(twice.get("/a")).isEqualTo(Value.u(2));
  }

  @Test
  void unwrappingGoesThroughAllVariants() {
    assertThat(variants(3).unwrap()).isEqualTo(Value.y(1));
    assertThat(Value.u(1).unwrap()).isEqualTo(Value.u(1));
  }

  @Test
  void valuesDoNotChangeWithWhatTheyWereMadeFrom() {
    byte[] bytes = {1};
    List<Value> list = new ArrayList<>(List.of(Value.u(1)));
    Value.Bytes b = Value.of(bytes);
    Value.Array a = new Value.Array("u", list);
    bytes[0] = 2;
    b.value()[0] = 2;
    list.clear();
    assertThat(b.value()).containsExactly(1);
    assertThat(a.elements()).hasSize(1);
    assertThat(Value.strings(List.of("a", "b")))
        .isEqualTo(Value.array("s", Value.of("a"), Value.of("b")));
  }

  @Test
  void aPromisedArrayTakesNoMemoryBeforeItIsThere() {
    // 64 MiB promised a hundred times over: with the bytes missing nothing of it may be allocated.
    byte[] body = new RawBytes(ByteOrder.LITTLE_ENDIAN).u32(64 << 20).zeros(100).toArray();
    long before = allocated();
    for (int i = 0; i < 1000; i++) {
      assertThatThrownBy(() -> Body.decode("ay", ByteOrder.LITTLE_ENDIAN, body))
          .isInstanceOf(ProtocolException.class);
    }
    assertThat(allocated() - before).isLessThan(64 << 20);
  }

  private static long allocated() {
    return ((ThreadMXBean) ManagementFactory.getThreadMXBean()).getCurrentThreadAllocatedBytes();
  }
}
