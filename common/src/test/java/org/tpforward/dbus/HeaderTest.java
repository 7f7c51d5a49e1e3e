package org.tpforward.dbus;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.ByteOrder;
import java.util.Arrays;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;

class HeaderTest {
  private static final ByteOrder LE = ByteOrder.LITTLE_ENDIAN;

  static Stream<ByteOrder> orders() {
    return Stream.of(ByteOrder.LITTLE_ENDIAN, ByteOrder.BIG_ENDIAN);
  }

  @ParameterizedTest
  @MethodSource("orders")
  void everyFieldIsRead(ByteOrder order) throws Exception {
    byte[] raw =
        new RawHeader(order)
            .type(3)
            .flags(0xf3)
            .serial(0xfffffffeL)
            .text(1, "o", "/a")
            .text(2, "s", "a.b")
            .text(3, "s", "M")
            .text(4, "s", "a.b.Error")
            .number(5, 0xffffffffL)
            .text(6, "s", ":1.2")
            .text(7, "s", "org.freedesktop.DBus")
            .number(9, 3)
            .body("a{sv}", 1000)
            .toArray();
    Header header = Header.parse(raw);
    assertThat(header.order()).isEqualTo(order);
    assertThat(header.type()).isEqualTo(MessageType.ERROR);
    assertThat(header.flags()).isEqualTo(0xf3);
    assertThat(header.noReplyExpected()).isTrue();
    assertThat(header.noAutoStart()).isTrue();
    assertThat(header.serial()).isEqualTo(0xfffffffeL);
    assertThat(header.replySerial()).isEqualTo(0xffffffffL);
    assertThat(header.bodyLength()).isEqualTo(1000);
    assertThat(header.path()).isEqualTo("/a");
    assertThat(header.interfaceName()).isEqualTo("a.b");
    assertThat(header.member()).isEqualTo("M");
    assertThat(header.errorName()).isEqualTo("a.b.Error");
    assertThat(header.destination()).isEqualTo(":1.2");
    assertThat(header.sender()).isEqualTo("org.freedesktop.DBus");
    assertThat(header.signature()).isEqualTo("a{sv}");
    assertThat(header.unixFds()).isEqualTo(3);
    assertThat(header.raw()).isEqualTo(raw);
  }

  @ParameterizedTest
  @MethodSource("orders")
  void absentFieldsAreNullOrZero(ByteOrder order) throws Exception {
    Header header = Header.parse(new RawHeader(order).type(200).toArray());
    assertThat(header.type()).isEqualTo(MessageType.UNKNOWN);
    assertThat(header.path()).isNull();
    assertThat(header.interfaceName()).isNull();
    assertThat(header.member()).isNull();
    assertThat(header.errorName()).isNull();
    assertThat(header.destination()).isNull();
    assertThat(header.sender()).isNull();
    assertThat(header.signature()).isEmpty();
    assertThat(header.replySerial()).isZero();
    assertThat(header.unixFds()).isZero();
    assertThat(header.noReplyExpected()).isFalse();
    assertThat(header.noAutoStart()).isFalse();
  }

  @ParameterizedTest
  @CsvSource({
    "1, METHOD_CALL",
    "2, METHOD_RETURN",
    "3, ERROR",
    "4, SIGNAL",
    "5, UNKNOWN",
    "255, UNKNOWN"
  })
  void types(int code, MessageType type) throws Exception {
    byte[] raw = RawHeader.call(LE).type(code).text(4, "s", "a.b").number(5, 1).toArray();
    assertThat(Header.parse(raw).type()).isEqualTo(type);
  }

  @ParameterizedTest
  @MethodSource("orders")
  void anotherBodyLengthChangesFourBytesOnly(ByteOrder order) throws Exception {
    byte[] unknownField = new RawBytes(order).u8(200).sig("as").pad(4).u32(6).str("x").toArray();
    byte[] raw = RawHeader.call(order).field(unknownField).flags(0xff).body("s", 6).toArray();
    Header changed = Header.parse(raw).withBodyLength(70_000);
    byte[] expected = raw.clone();
    System.arraycopy(new RawBytes(order).u32(70_000).toArray(), 0, expected, 4, 4);
    assertThat(changed.raw()).isEqualTo(expected);
    assertThat(changed.bodyLength()).isEqualTo(70_000);
    assertThat(changed.member()).isEqualTo("M");
    assertThat(Header.parse(changed.raw())).isEqualTo(changed);
  }

  @Test
  void aBodyLengthThatCannotBeIsNotTaken() throws Exception {
    Header header = Header.parse(RawHeader.call(LE).body("s", 6).toArray());
    assertThatThrownBy(() -> header.withBodyLength(-1))
        .isInstanceOf(IllegalArgumentException.class);
    assertThatThrownBy(() -> header.withBodyLength(0)).isInstanceOf(IllegalArgumentException.class);
    assertThatThrownBy(() -> header.withBodyLength(128 << 20))
        .isInstanceOf(IllegalArgumentException.class);
    Header empty = Header.parse(RawHeader.call(LE).toArray());
    assertThatThrownBy(() -> empty.withBodyLength(1)).isInstanceOf(IllegalArgumentException.class);
  }

  @Test
  void theRawBytesAreTheHeadersOwn() throws Exception {
    byte[] raw = RawHeader.call(LE).toArray();
    Header header = Header.parse(raw);
    raw[2] = 1;
    header.raw()[2] = 1;
    assertThat(header.flags()).isZero();
  }

  static Stream<Arguments> malformed() {
    return orders().flatMap(HeaderTest::malformed);
  }

  private static Stream<Arguments> malformed(ByteOrder order) {
    byte[] good = RawHeader.call(order).toArray();
    return Stream.of(
        bad("byte order", RawHeader.call(order).endian('x')),
        bad("type 0", RawHeader.call(order).type(0)),
        bad("version is 2", RawHeader.call(order).version(2)),
        bad("serial is 0", RawHeader.call(order).serial(0)),
        bad("METHOD_CALL without header field PATH", new RawHeader(order).text(3, "s", "M")),
        bad("METHOD_CALL without header field MEMBER", new RawHeader(order).text(1, "o", "/")),
        bad("SIGNAL without header field PATH", new RawHeader(order).type(4).text(3, "s", "M")),
        bad(
            "SIGNAL without header field INTERFACE",
            new RawHeader(order).type(4).text(3, "s", "M").text(1, "o", "/")),
        bad(
            "SIGNAL without header field MEMBER",
            new RawHeader(order).type(4).text(2, "s", "a.b").text(1, "o", "/")),
        bad("METHOD_RETURN without header field REPLY_SERIAL", new RawHeader(order).type(2)),
        bad("ERROR without header field ERROR_NAME", new RawHeader(order).type(3).number(5, 1)),
        bad(
            "ERROR without header field REPLY_SERIAL",
            new RawHeader(order).type(3).text(4, "s", "a.b")),
        bad("REPLY_SERIAL is 0", new RawHeader(order).type(2).number(5, 0)),
        bad("field 0", RawHeader.call(order).text(0, "s", "x")),
        bad("PATH is not of type o", new RawHeader(order).text(1, "s", "/")),
        bad("MEMBER is not of type s", new RawHeader(order).text(3, "o", "/")),
        bad("REPLY_SERIAL is not of type u", RawHeader.call(order).text(5, "s", "x")),
        bad("SIGNATURE is not of type g", RawHeader.call(order).text(8, "s", "s")),
        bad("SENDER is not of type s", RawHeader.call(order).text(7, "ss", "x")),
        bad("MEMBER stands twice", RawHeader.call(order).text(3, "s", "M")),
        bad("PATH: not a valid name", new RawHeader(order).text(1, "o", "a")),
        bad("INTERFACE: not a valid name", new RawHeader(order).text(2, "s", "a")),
        bad("MEMBER: not a valid name", new RawHeader(order).text(3, "s", "a.b")),
        bad("ERROR_NAME: not a valid name", new RawHeader(order).text(4, "s", "x")),
        bad("DESTINATION: not a valid name", new RawHeader(order).text(6, "s", "x")),
        bad(
            "DESTINATION: not a valid name",
            new RawHeader(order).text(6, "s", "a." + "b".repeat(254))),
        bad("SENDER: not a valid name", new RawHeader(order).text(7, "s", ":1")),
        bad("SIGNATURE: signature", RawHeader.call(order).body("a", 4)),
        bad("reserved", new RawHeader(order).text(1, "o", "/org/freedesktop/DBus/Local")),
        bad("reserved", new RawHeader(order).text(2, "s", "org.freedesktop.DBus.Local")),
        bad("a body without signature", RawHeader.call(order).bodyLength(4)),
        bad("a signature without body", RawHeader.call(order).body("s", 0)),
        bad("limit is 134217728", RawHeader.call(order).body("s", (128 << 20) - 8)),
        bad("limit is 134217728", RawHeader.call(order).body("s", 0xffffffffL)),
        bad("limit is 1048576", RawHeader.call(order).fieldsLength((1 << 20) + 1)),
        bad("limit is 1048576", RawHeader.call(order).fieldsLength(0xffffffffL)),
        bad("padding is not zero", RawHeader.with(good, good.length - 1, 1)),
        bad("not followed by NUL", RawHeader.with(good, 28, 1)),
        bad("padding is not zero", RawHeader.with(good, 29, 1)),
        bad("is cut short", RawHeader.with(good, order == LE ? 20 : 23, 200)),
        bad("header of", Arrays.copyOf(good, good.length - 8)),
        bad("header of", Arrays.copyOf(good, good.length + 8)),
        bad("cut short", Arrays.copyOf(good, 15)),
        bad("field is cut short", RawHeader.call(order).field(new byte[] {1})),
        bad(
            "value is cut short",
            RawHeader.call(order).field(new RawBytes(order).u8(77).sig("u").toArray())),
        bad(
            "not UTF-8",
            RawHeader.call(order)
                .field(new RawBytes(order).u8(77).sig("s").u32(1).u8(0xff, 0).toArray())));
  }

  @ParameterizedTest
  @MethodSource("malformed")
  void malformedHeadersAreRefusedWithOneLine(String message, byte[] raw) {
    assertThatThrownBy(() -> Header.parse(raw))
        .isInstanceOf(ProtocolException.class)
        .hasMessageContaining(message)
        .hasMessageMatching("[ -~]+ \\(byte [0-9]+ of the header\\)");
  }

  @Test
  void aBuiltHeaderReadsBackAsItWasMeant() throws Exception {
    for (ByteOrder order : orders().toList()) {
      Header header =
          Header.builder(MessageType.SIGNAL)
              .order(order)
              .flags(1)
              .serial(0xffffffffL)
              .path("/a")
              .interfaceName("a.b")
              .member("M")
              .destination(":1.1")
              .sender(":1.2")
              .signature("ss")
              .build(12);
      assertThat(Header.parse(header.raw())).isEqualTo(header);
      assertThat(header.order()).isEqualTo(order);
      assertThat(header)
          .hasToString(
              "SIGNAL serial=4294967295 sender=:1.2 destination=:1.1 path=/a a.b.M signature=ss"
                  + " body=12");
    }
  }

  @Test
  void repliesGoToTheCallersSerialAndName() throws Exception {
    Header call = Header.parse(RawHeader.call(ByteOrder.BIG_ENDIAN).text(7, "s", ":1.9").toArray());
    Header reply = Header.returnTo(call).serial(3).build(0);
    assertThat(reply.type()).isEqualTo(MessageType.METHOD_RETURN);
    assertThat(reply.replySerial()).isEqualTo(7);
    assertThat(reply.destination()).isEqualTo(":1.9");
    assertThat(reply.order()).isEqualTo(ByteOrder.BIG_ENDIAN);
    Header error = Header.errorTo(call, "a.b.Error").serial(3).build(0);
    assertThat(error.type()).isEqualTo(MessageType.ERROR);
    assertThat(error.errorName()).isEqualTo("a.b.Error");
  }

  @Test
  void whatCouldNotBeReadIsNotBuilt() {
    assertThatThrownBy(() -> Header.builder(MessageType.SIGNAL).serial(1).build(0))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("without header field PATH");
    assertThatThrownBy(() -> Header.builder(MessageType.METHOD_RETURN).replySerial(1).build(0))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("serial is 0");
    assertThatThrownBy(() ->
            Header.builder(MessageType.METHOD_RETURN).serial(1L << 32).replySerial(1).build(0))
        .isInstanceOf(IllegalArgumentException.class);
    assertThatThrownBy(() -> Header.builder(MessageType.UNKNOWN))
        .isInstanceOf(IllegalArgumentException.class);
  }

  private static Arguments bad(String message, RawHeader header) {
    return bad(message, header.toArray());
  }

  private static Arguments bad(String message, byte[] raw) {
    return Arguments.of(message, raw);
  }
}
