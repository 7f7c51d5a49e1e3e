package org.tpforward.agent.forward;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.time.Duration;
import org.junit.jupiter.api.Test;
import org.tpforward.dbus.Value;

/** Connections and their signals, which arrive in any order. */
class ConnectionMatcherTest {
  private static final Duration PATIENCE = Duration.ofSeconds(10);

  private long now;
  private final ConnectionMatcher matcher = new ConnectionMatcher(PATIENCE, () -> now);

  @Test
  void theConnectionComesFirst() {
    ConnectionMatcher.Arrival arrival = matcher.arrived("port 1");
    assertThat(arrival.named()).isNotDone();
    matcher.named("port 1", 5);
    assertThat(arrival.named()).isCompletedWithValue(5L);
  }

  @Test
  void theSignalComesFirst() {
    matcher.named("port 1", 5);
    assertThat(matcher.arrived("port 1").named()).isCompletedWithValue(5L);
    assertThat(matcher.arrived("port 1").named()).as("it named one").isNotDone();
  }

  @Test
  void aSignalNamesNobodyElse() {
    ConnectionMatcher.Arrival stranger = matcher.arrived("port 2");
    matcher.named("port 1", 5);
    assertThat(stranger.named()).isNotDone();
  }

  @Test
  void amongEqualBytesTheFirstComesWithTheFirst() {
    ConnectionMatcher.Arrival first = matcher.arrived(0);
    ConnectionMatcher.Arrival second = matcher.arrived(0);
    matcher.named(0, 1);
    matcher.named(0, 2);
    assertThat(first.named()).isCompletedWithValue(1L);
    assertThat(second.named()).isCompletedWithValue(2L);
  }

  @Test
  void allClientsAreToldTheSame() {
    ConnectionMatcher.Arrival arrival = matcher.arrived(0);
    var early = matcher.parameter(5);
    matcher.named(0, 5);
    var late = matcher.parameter(5);
    arrival.parameter().complete(Value.u(1234));
    assertThat(early).isCompletedWithValue(Value.u(1234));
    assertThat(late).isCompletedWithValue(Value.u(1234));
    assertThat(matcher.parameter(5)).isCompletedWithValue(Value.u(1234));
  }

  @Test
  void whoAsksBeforeTheAgentHasSeenTheSignalDoesNotTakeItsPlace() {
    var asked = matcher.parameter(5);
    matcher.named(0, 5);
    ConnectionMatcher.Arrival arrival = matcher.arrived(0);
    assertThat(arrival.named()).isCompletedWithValue(5L);
    arrival.parameter().complete(Value.u(1));
    assertThat(asked).isCompletedWithValue(Value.u(1));
  }

  @Test
  void aCmMayUseItsNumbersAgain() {
    for (int i = 0; i < 3; i++) {
      ConnectionMatcher.Arrival arrival = matcher.arrived(i);
      matcher.named(i, 0);
      assertThat(arrival.named()).isCompletedWithValue(0L);
      arrival.parameter().complete(Value.u(i));
      assertThat(matcher.parameter(0)).isCompletedWithValue(Value.u(i));
    }
  }

  @Test
  void aConnectionOfWhichNothingCameHoldsNobodyUp() {
    ConnectionMatcher.Arrival arrival = matcher.arrived(0);
    matcher.named(0, 5);
    arrival.parameter().completeExceptionally(new IOException("no service there"));
    assertThat(matcher.parameter(5)).isCompletedExceptionally();
  }

  @Test
  void aPortThatWasNamedLetsInNobodyMuchLater() {
    matcher.named("port 1", 5);
    now += PATIENCE.toNanos() + 1;
    assertThat(matcher.arrived("port 1").named()).isNotDone();
  }

  @Test
  void aConnectionThatLeftIsNotNamed() {
    ConnectionMatcher.Arrival gone = matcher.arrived("port 1");
    matcher.left(gone);
    matcher.named("port 1", 5);
    assertThat(gone.named()).isNotDone();
    assertThat(matcher.arrived("port 1").named()).isCompletedWithValue(5L);
  }

  @Test
  void whatNobodyAsksForIsForgottenAndTheTubeGoesOn() {
    for (int i = 0; i < 3 * ConnectionMatcher.MAX_WAITING; i++) {
      matcher.named("nobody's " + i, i);
      ConnectionMatcher.Arrival _ = matcher.arrived("unnamed " + i);
    }
    ConnectionMatcher.Arrival arrival = matcher.arrived("port 1");
    matcher.named("port 1", 5);
    assertThat(arrival.named()).isCompletedWithValue(5L);
  }
}
