package org.tpforward.dbus;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

class NamesTest {
  @ParameterizedTest
  @ValueSource(strings = {"/", "/a", "/a/b_9/C", "/0"})
  void objectPaths(String s) {
    assertThat(Names.isObjectPath(s)).isTrue();
  }

  @ParameterizedTest
  @ValueSource(
      strings = {"", "a", "//", "/a/", "/a//b", "/a-b", "/a.b", "/\u00e9", "/\u0101", "/a\0"})
  void notObjectPaths(String s) {
    assertThat(Names.isObjectPath(s)).isFalse();
  }

  @Test
  void anObjectPathMayBeLong() {
    assertThat(Names.isObjectPath("/" + "a".repeat(100_000))).isTrue();
  }

  @ParameterizedTest
  @ValueSource(strings = {"a.b", "org.freedesktop.DBus", "_._", "a1.b2"})
  void interfaces(String s) {
    assertThat(Names.isInterface(s)).isTrue();
  }

  @ParameterizedTest
  @ValueSource(
      strings = {"", "a", ".", "a.", ".a", "a..b", "1a.b", "a.1b", "a-b.c", ":1.2", "a.\u00e9"})
  void notInterfaces(String s) {
    assertThat(Names.isInterface(s)).isFalse();
  }

  @ParameterizedTest
  @ValueSource(strings = {"A", "_", "Get2"})
  void members(String s) {
    assertThat(Names.isMember(s)).isTrue();
  }

  @ParameterizedTest
  @ValueSource(strings = {"", "a.b", "2a", "a-b", "a b"})
  void notMembers(String s) {
    assertThat(Names.isMember(s)).isFalse();
  }

  @ParameterizedTest
  @ValueSource(strings = {":1.2", ":1.a-b", "org.freedesktop.DBus", "a-.b-", "-a.b"})
  void busNames(String s) {
    assertThat(Names.isBusName(s)).isTrue();
  }

  @ParameterizedTest
  @ValueSource(strings = {"", ":", ":1", ":1.", ":.1", "a", "1.a", "a.1", "a..b", "a:b.c", "::1.2"})
  void notBusNames(String s) {
    assertThat(Names.isBusName(s)).isFalse();
  }

  @Test
  void onlyNamesWithAColonAreUnique() {
    assertThat(Names.isUniqueName(":1.2")).isTrue();
    assertThat(Names.isUniqueName("org.freedesktop.DBus")).isFalse();
  }

  @Test
  void namesHaveAtMost255Bytes() {
    String longest = "a." + "b".repeat(253);
    assertThat(Names.isInterface(longest)).isTrue();
    assertThat(Names.isBusName(longest)).isTrue();
    assertThat(Names.isInterface(longest + "b")).isFalse();
    assertThat(Names.isBusName(longest + "b")).isFalse();
    assertThat(Names.isMember("b".repeat(255))).isTrue();
    assertThat(Names.isMember("b".repeat(256))).isFalse();
  }

  static Stream<String> signatures() {
    return Stream.of(
        "",
        "y",
        "ybnqiuxtdsoghv",
        "as",
        "a{sv}",
        "a{s(ii)}",
        "(i(i)i)",
        "aay",
        "a(ay)",
        "a{oa{sa{sv}}}",
        "a".repeat(32) + "y",
        "(".repeat(32) + "y" + ")".repeat(32),
        "y".repeat(255),
        "a".repeat(32) + "(".repeat(32) + "y" + ")".repeat(32));
  }

  @ParameterizedTest
  @MethodSource("signatures")
  void signaturesOfCompleteTypes(String s) {
    assertThat(Type.problem(s)).isNull();
    StringBuilder again = new StringBuilder();
    for (Type type : Type.parse(s)) {
      again.append(type.signature());
    }
    assertThat(again).hasToString(s);
  }

  static Stream<String> brokenSignatures() {
    return Stream.of(
        "a",
        "aa",
        "(",
        ")",
        "()",
        "(i",
        "i)",
        "{sv}",
        "a{s}",
        "a{svi}",
        "a{vs}",
        "a{(i)s}",
        "a{sv",
        "a{",
        "a{s",
        "a{}",
        "z",
        "r",
        "e",
        "m",
        "\0",
        "\u00ff",
        "\u0100",
        " ",
        "a".repeat(33) + "y",
        "(".repeat(33) + "y" + ")".repeat(33),
        "y".repeat(256));
  }

  @ParameterizedTest
  @MethodSource("brokenSignatures")
  void notSignatures(String s) {
    assertThat(Type.problem(s)).isNotNull();
  }

  @Test
  void aVariantHasExactlyOneCompleteType() {
    assertThat(Type.problemOfSingle("a{sv}")).isNull();
    assertThat(Type.problemOfSingle("")).isNotNull();
    assertThat(Type.problemOfSingle("ss")).isNotNull();
  }
}
