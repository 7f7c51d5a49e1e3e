package org.tpforward.agent.telepathy;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import org.junit.jupiter.api.Test;
import org.tpforward.dbus.Signal;
import org.tpforward.dbus.Value;
import org.tpforward.telepathy.Names;

final class TubeWatchTest {
  // Tube_Channel_State of the specification
  private static final long REMOTE_PENDING = 1;
  private static final long OPEN = 2;

  private final TubeWatch watch = new TubeWatch();

  @Test
  void aSignalIsNewerThanThePropertyThatWasReadBefore() throws Exception {
    watch.on(state(OPEN));
    watch.initially(TubeState.of(REMOTE_PENDING));
    watch.awaitOpen();
    assertThat(watch.state()).isEqualTo(TubeState.OPEN);
  }

  @Test
  void aTubeThatWasOpenForAMomentHasBeenOpen() throws Exception {
    watch.on(state(OPEN));
    watch.on(Signals.of(Names.CHANNEL, "Closed"));
    watch.awaitOpen();
    assertThat(watch.awaitEnd()).isEqualTo(new TubeWatch.End("the tube was closed", true));
  }

  @Test
  void oneThatIsClosedBeforeNeverOpens() {
    watch.on(state(REMOTE_PENDING));
    watch.on(Signals.of(Names.CHANNEL, "Closed"));
    assertThatThrownBy(watch::awaitOpen)
        .isInstanceOf(TransferException.class)
        .hasMessage("the tube was closed");
  }

  @Test
  void theFirstEndIsTheOneThatCounts() throws Exception {
    watch.lost("the bus is lost");
    watch.interrupt();
    watch.on(Signals.of(Names.CHANNEL, "Closed"));
    assertThat(watch.awaitEnd()).isEqualTo(new TubeWatch.End("the bus is lost", false));
  }

  @Test
  void nonsenseIsPassedOver() {
    watch.on(Signals.of(TubeState.INTERFACE, "TubeChannelStateChanged"));
    watch.on(Signals.of(TubeState.INTERFACE, "TubeChannelStateChanged", Value.of("x")));
    watch.on(state(99));
    assertThat(watch.state()).isEqualTo(TubeState.UNKNOWN);
  }

  private static Signal state(long state) {
    return Signals.of(TubeState.INTERFACE, "TubeChannelStateChanged", Value.u(state));
  }
}
