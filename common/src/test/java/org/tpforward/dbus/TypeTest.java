package org.tpforward.dbus;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

class TypeTest {
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
