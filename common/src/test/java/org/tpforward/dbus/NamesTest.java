package org.tpforward.dbus;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
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
}
