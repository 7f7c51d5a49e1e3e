package org.tpforward.server.bus;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.tpforward.dbus.Header;
import org.tpforward.dbus.MessageType;

class BusPolicyTest {
  private static final PolicyRules RULES =
      new PolicyRules(
          new BusPolicy(
              List.of("com.example.One", "com.example.Many.*"), List.of("com.example.Some=*")));

  @ParameterizedTest
  @CsvSource({
    "org.freedesktop.DBus, TALK",
    "org.freedesktop.DBus.x, NONE",
    "org.freedesktop.Telepathy, TALK",
    "org.freedesktop.Telepathy.ConnectionManager.gabble, TALK",
    "org.freedesktop.Telepathy.Client.Empathy, OWN",
    "org.freedesktop.Telepathy.Client, TALK",
    "org.freedesktop.Telepathy.Clients.x, TALK",
    "org.freedesktop.TelepathyX, NONE",
    "com.example.One, TALK",
    "com.example.One.below, NONE",
    "com.example.Many, TALK",
    "com.example.Many.below.it, TALK",
    "com.example.Manyfold, NONE",
    "com.example.Some, SEE",
    "com.example, NONE",
  })
  void namesHaveLevels(String name, Level level) {
    assertThat(RULES.level(name)).isEqualTo(level);
  }

  @ParameterizedTest
  @CsvSource({
    "com.example.N=*, true",
    "com.example.N=, true",
    "com.example.N=com.example.I.M, true",
    "com.example.N=com.example.I.*, true",
    "com.example.*=com.example.I.M@/a/b, true",
    "com.example.N=@/a/*, true",
    "com.example.N=@/*, true",
    "com.example.N=*@/a/b, true",
    "com.example.N=com.example.I.X, false",
    "com.example.N=com.example.J.*, false",
    "com.example.N=@/a, false",
    "com.example.N=@/a/bb/*, false",
    "com.example.N=com.example.I.M@/x, false",
    "com.example.M=*, false",
  })
  void callsAreComparedWithRules(String rule, boolean allowed) {
    Header call =
        Header.builder(MessageType.METHOD_CALL)
            .serial(1)
            .path("/a/b")
            .interfaceName("com.example.I")
            .member("M")
            .build(0);
    assertThat(
            new PolicyRules(new BusPolicy(List.of(), List.of(rule))).allows("com.example.N", call))
        .isEqualTo(allowed);
  }

  @Test
  void aRuleWithAnInterfaceWantsIt() {
    Header call = Header.builder(MessageType.METHOD_CALL).serial(1).path("/a").member("M").build(0);
    assertThat(
            new PolicyRules(new BusPolicy(List.of(), List.of("a.b=com.example.I.M")))
                .allows("a.b", call))
        .isFalse();
  }

  @ParameterizedTest
  @ValueSource(
      strings = {"", "*", "x", ":1.5", "com.example.", "com..example", "*.example", "a b.c"})
  void aNameThatIsNoneIsRefused(String name) {
    assertThatThrownBy(() -> new BusPolicy(List.of(name), List.of()))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("'" + name + "'");
  }

  @ParameterizedTest
  @ValueSource(
      strings = {"com.example.N", "N=*", "a.b=M", "a.b=I.M", "a.b=x.I.M-", "a.b=@a", "a.b=@/a/"})
  void aRuleThatIsNoneIsRefused(String rule) {
    assertThatThrownBy(() -> new BusPolicy(List.of(), List.of(rule)))
        .isInstanceOf(IllegalArgumentException.class);
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      quoteCharacter = '"',
      value = {
        "eavesdrop=true | false",
        "type='signal',eavesdrop='true' | false",
        "arg0='x',eavesdrop=tr'ue' | false",
        "arg0=\\',eavesdrop='true' | false",
        "arg0='unended | false",
        "arg0='eavesdrop=true' | true",
        "arg0='a,eavesdrop=\\' | true",
        "eavesdrop='false' | true",
        "type='signal',arg0='x' | true",
      })
  void matchRulesMayNotEavesdrop(String rule, boolean passes) {
    assertThat(MatchRule.problem(rule) == null).isEqualTo(passes);
  }

  @Test
  void longMatchRulesAreRefused() {
    assertThat(MatchRule.problem("arg0='" + "x".repeat(2000) + "'")).isNotNull();
  }
}
