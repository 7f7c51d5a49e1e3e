package org.tpforward.agent.telepathy;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

final class AccountTest {
  private static final Account ALICE =
      new Account(
          Account.PREFIX + "gabble.jabber.alice_40example_2eorg_2fhome", "alice@example.org");

  @ParameterizedTest
  @ValueSource(
      strings = {
        "alice@example.org",
        "alice@example.org/home",
        "alice_40example_2eorg_2fhome",
        "gabble/jabber/alice_40example_2eorg_2fhome",
        "gabble.jabber.alice_40example_2eorg_2fhome",
        "org.freedesktop.Telepathy.Connection.gabble.jabber.alice_40example_2eorg_2fhome",
        "gabble/jabber/alice@example.org",
        "jabber:alice@example.org",
      })
  void isMeantByAnyOfItsNames(String wanted) {
    assertThat(ALICE.matches(wanted)).isTrue();
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "",
        "alice",
        "bob@example.org",
        "gabble/irc/alice@example.org",
        "haze/jabber/alice@example.org",
        "irc:alice@example.org",
        "gabble/jabber",
        "gabble"
      })
  void isNotMeantByOthers(String wanted) {
    assertThat(ALICE.matches(wanted)).isFalse();
  }

  @Test
  void readsHowToStartOne() {
    assertThat(Account.Wanted.parse("loopback/loopback/alice"))
        .isEqualTo(new Account.Wanted("loopback", "loopback", "alice"));
    assertThat(Account.Wanted.parse("jabber:a/b@c"))
        .isEqualTo(new Account.Wanted(null, "jabber", "a/b@c"));
    assertThat(Account.Wanted.parse("alice@example.org")).isNull();
    assertThat(Account.Wanted.parse("../x/alice")).isNull();
    assertThat(Account.Wanted.parse("jabber:")).isNull();
  }

  @Test
  void escapesAsTelepathyGlibDoes() {
    assertThat(Account.escape("alice@example.org")).isEqualTo("alice_40example_2eorg");
    assertThat(Account.escape("0day_1")).isEqualTo("_30day_5f1");
    assertThat(Account.escape("")).isEqualTo("_");
  }

  @Test
  void hasThePathOfItsName() {
    assertThat(ALICE.path())
        .isEqualTo(
            "/org/freedesktop/Telepathy/Connection/gabble/jabber/alice_40example_2eorg_2fhome");
    assertThat(ALICE.toString())
        .isEqualTo("gabble/jabber/alice_40example_2eorg_2fhome (alice@example.org)");
  }
}
