package org.tpforward.server.user;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import java.net.InetAddress;
import java.time.Instant;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class KeyOptionsTest {
  private static final InetAddress HERE = InetAddress.ofLiteral("192.0.2.7");

  @Test
  void readsWhatItObeys() {
    KeyOptions options =
        KeyOptions.parse(
            "restrict,cert-authority,principals=\"alice,bob\",from=\"192.0.2.*\","
                + "expiry-time=\"20300101Z\",environment=\"TPFORWARD_USER=al, \\\"ice\\\"\"");
    assertThat(options.certAuthority()).isTrue();
    assertThat(options.principals()).containsExactly("alice", "bob");
    assertThat(options.expiry()).isEqualTo(Instant.parse("2030-01-01T00:00:00Z"));
    assertThat(options.environment()).containsEntry("TPFORWARD_USER", "al, \"ice\"");
    assertThat(options.refusal(HERE, Instant.parse("2029-12-31T23:59:59Z"))).isNull();
  }

  @Test
  void optionNamesAreTheSameInCapitals() {
    assertThat(KeyOptions.parse("Restrict,Cert-Authority").certAuthority()).isTrue();
  }

  @Test
  void expires() {
    KeyOptions options = KeyOptions.parse("expiry-time=\"202606011200Z\"");
    assertThat(options.refusal(HERE, Instant.parse("2026-06-01T11:59:59Z"))).isNull();
    assertThat(options.refusal(HERE, Instant.parse("2026-06-01T12:00:00Z"))).contains("expired");
  }

  @Test
  void theEarlierOfTwoExpiryTimesCounts() {
    KeyOptions options = KeyOptions.parse("expiry-time=\"20300101Z\",expiry-time=\"20200101Z\"");
    assertThat(options.refusal(HERE, Instant.parse("2025-01-01T00:00:00Z"))).contains("expired");
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "command=\"id\"",
        "permitopen=\"localhost:80\"",
        "no-port-forwarding",
        "tunnel=\"0\"",
        "verify-required",
        "from=192.0.2.1",
        "from=\"\"",
        "from=\"192.0.2.0/99\"",
        "from=\"a\",from=\"b\"",
        "expiry-time=\"tomorrow\"",
        "expiry-time=\"20261301\"",
        "environment=\"NAME\"",
        "environment=\"=value\"",
        "restrict,,pty",
        "restrict,",
        "environment=\"A=B",
        "nonsense"
      })
  void whatItCannotObeyMakesTheLineUnusable(String options) {
    assertThatIllegalArgumentException().isThrownBy(() -> KeyOptions.parse(options));
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "192.0.2.7|true",
        "192.0.2.8|false",
        "192.0.2.*|true",
        "192.0.?.7|true",
        "192?0?2?7|true",
        "192.0.2.0/24|true",
        "198.51.100.0/24|false",
        "2001:db8::/32|false",
        "*,!192.0.2.7|false",
        "!192.0.2.7,*|false",
        "!198.51.100.1,*|true",
        "!198.51.100.1|false",
        "localhost,192.0.2.7|true",
        "192.0.2|false",
        "192.0.2.77|false"
      })
  void comesFromWhereItMay(String patterns, boolean allowed) {
    assertThat(AddressPatterns.parse(patterns).allow(HERE)).isEqualTo(allowed);
  }
}
