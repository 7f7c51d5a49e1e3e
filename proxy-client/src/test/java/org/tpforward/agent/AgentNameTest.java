package org.tpforward.agent;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

final class AgentNameTest {
  @ParameterizedTest
  @CsvSource({
    "example.org, example.org",
    "alice@example.org, alice-example.org",
    "alice@example.org:2222, alice-example.org-2222",
    "ssh://alice@example.org:2222, alice-example.org-2222",
    "[fe80::1%eth0]:22, fe80-1-eth0-22",
    "-oProxyCommand=x, oProxyCommand-x",
    "..., agent",
    "Ünïcode, n-code",
  })
  void comesFromTheDestination(String destination, String name) {
    assertThat(AgentName.of(destination)).isEqualTo(name);
    assertThat(AgentName.problem(name)).isNull();
  }

  @Test
  void tellsLongDestinationsApart() {
    String one = AgentName.of("alice@a-very-long-name.of-a-host.example.org");
    String two = AgentName.of("alice@a-very-long-name.of-a-host.example.com");
    assertThat(one).hasSize(32).startsWith("alice-a-very-long-name.of-").isNotEqualTo(two);
    assertThat(AgentName.problem(one)).isNull();
  }
}
