package org.tpforward.agent.telepathy;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.time.Duration;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;
import org.tpforward.dbus.Signal;
import org.tpforward.dbus.Value;
import org.tpforward.telepathy.Names;

final class ChannelWatchTest {
  // File_Transfer_State of the specification
  private static final long NONE = 0;
  private static final long PENDING = 1;
  private static final long OPEN = 3;
  private static final long COMPLETED = 4;
  private static final long CANCELLED = 5;

  private final ChannelWatch watch = new ChannelWatch();

  @Test
  void aSignalIsNewerThanThePropertyThatWasReadBefore() throws Exception {
    watch.on(state(OPEN, 0));
    watch.initially(PENDING, 0);
    watch.await(FileState.OPEN);
    assertThat(watch.state()).isEqualTo(FileState.OPEN);
  }

  @Test
  void theOffsetIsKnownFromTheSignalOrFromThePropertyOfAnOpenChannel() {
    watch.initially(PENDING, 5);
    assertThat(watch.initialOffset()).isEqualTo(-1);
    watch.on(Signals.of(FileState.INTERFACE, "InitialOffsetDefined", Value.t(7)));
    assertThat(watch.initialOffset()).isEqualTo(7);
    ChannelWatch open = new ChannelWatch();
    open.initially(OPEN, 5);
    assertThat(open.initialOffset()).isEqualTo(5);
  }

  @Test
  void theCloseAfterCompletionIsNoFailure() throws Exception {
    watch.on(state(COMPLETED, 0));
    watch.on(Signals.of(Names.CHANNEL, "Closed"));
    watch.await(FileState.COMPLETED);
    assertThat(watch.failure()).isNull();
  }

  @Test
  void theCloseBeforeIsOne() {
    watch.on(state(OPEN, 0));
    watch.on(Signals.of(Names.CHANNEL, "Closed"));
    assertThatThrownBy(() -> watch.await(FileState.COMPLETED))
        .isInstanceOf(TransferException.class)
        .hasMessage("the channel was closed before the transfer was complete");
  }

  @Test
  void theFirstReasonIsTheOneThatCounts() {
    watch.on(state(OPEN, 0));
    watch.lost("interrupted");
    watch.on(state(CANCELLED, 4));
    watch.on(state(COMPLETED, 0));
    assertThat(watch.failure()).isEqualTo("interrupted");
  }

  @Test
  void aCancelledTransferNeverCompletes() {
    watch.on(state(CANCELLED, 3));
    watch.on(state(COMPLETED, 0));
    assertThatThrownBy(() -> watch.await(FileState.OPEN)).hasMessage("the other side stopped it");
  }

  @Test
  void tellsOfAFailureOnce() {
    AtomicInteger told = new AtomicInteger();
    watch.onFailure(told::incrementAndGet);
    assertThat(told).hasValue(0);
    watch.lost("one");
    watch.lost("two");
    assertThat(told).hasValue(1);
    ChannelWatch late = new ChannelWatch();
    late.lost("one");
    late.onFailure(told::incrementAndGet);
    assertThat(told).hasValue(2);
  }

  @Test
  void doesNotWaitForAnEndThatHasCome() throws Exception {
    watch.on(state(COMPLETED, 0));
    watch.awaitEnd(Duration.ofDays(1));
    assertThat(watch.state()).isEqualTo(FileState.COMPLETED);
  }

  @Test
  void nonsenseIsPassedOver() {
    watch.on(Signals.of(FileState.INTERFACE, "FileTransferStateChanged"));
    watch.on(Signals.of(FileState.INTERFACE, "InitialOffsetDefined", Value.of("x")));
    watch.on(state(NONE, 99));
    assertThat(watch.state()).isEqualTo(FileState.NONE);
    assertThat(watch.initialOffset()).isEqualTo(-1);
    assertThat(watch.failure()).isNull();
  }

  private static Signal state(long state, long reason) {
    return Signals.of(
        FileState.INTERFACE, "FileTransferStateChanged", Value.u(state), Value.u(reason));
  }
}
