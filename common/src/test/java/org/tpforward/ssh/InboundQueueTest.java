package org.tpforward.ssh;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import org.apache.sshd.common.SshException;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(60)
class InboundQueueTest {
  private final ReceiveBudget budget = new ReceiveBudget(64 << 20);
  private long now;
  private long open = ReceiveBudget.INITIAL;
  private final InboundQueue queue = new InboundQueue(budget, () -> now);

  private void offer(String text) throws SshException {
    byte[] padded = ("--" + text + "--").getBytes(StandardCharsets.UTF_8);
    queue.offer(padded, 2, padded.length - 4);
  }

  private String take(int most) throws IOException {
    ByteBuffer buffer = ByteBuffer.allocate(most);
    int count = queue.take(buffer);
    return count < 0 ? "end" : new String(buffer.array(), 0, count, StandardCharsets.UTF_8);
  }

  @Test
  void givesWhatIsThereInOrder() throws Exception {
    offer("abc");
    offer("def");
    offer("g");
    assertThat(take(2)).isEqualTo("ab");
    assertThat(take(3)).isEqualTo("cde");
    assertThat(take(9)).isEqualTo("fg");
  }

  @Test
  void givesWhatComesToAWaitingReceiverAndWakesTheReaderForTheRest() throws Exception {
    StringBuilder received = new StringBuilder();
    CompletableFuture<Boolean> reader =
        Bytes.async(() ->
            queue.await(
                0,
                (bytes, offset, length) -> {
                  int count = Math.min(length, 4 - received.length());
                  received.append(new String(bytes, offset, count, StandardCharsets.UTF_8));
                  return count;
                }));
    awaitReceiver();
    offer("abc");
    assertThat(reader).isNotDone();
    assertThat(received).asString().isEqualTo("abc");
    offer("def");
    offer("g");
    assertThat(reader.join()).isTrue();
    assertThat(received).asString().isEqualTo("abcd");
    assertThat(take(9)).isEqualTo("efg");
  }

  @Test
  void countsWhatAReceiverTookAsTaken() throws Exception {
    CompletableFuture<Boolean> reader = Bytes.async(() -> queue.await(0, (bytes, at, n) -> n));
    awaitReceiver();
    int window = (int) queue.initialWindow();
    long granted = 0;
    for (int sent = 0; sent < window; sent += 1 << 10) {
      granted += queue.offer(new byte[1 << 10], 0, 1 << 10);
    }
    assertThat(granted).as("and it grows: nobody is behind").isGreaterThan(window);
    queue.end();
    assertThat(reader.join()).isTrue();
  }

  @Test
  void givesNothingToAReceiverThatWaitsNoMore() throws Exception {
    assertThat(
            queue.await(
                1,
                (bytes, offset, length) -> {
                  throw new AssertionError("called");
                }))
        .isFalse();
    offer("abc");
    assertThat(take(9)).isEqualTo("abc");
  }

  private void awaitReceiver() {
    while (!queue.hasReceiver()) {
      Thread.onSpinWait();
    }
  }

  @Test
  void waitsForTheFirstByte() throws Exception {
    CompletableFuture<String> taken = Bytes.async(() -> take(9));
    offer("abc");
    assertThat(taken.join()).isEqualTo("abc");
  }

  @Test
  void endsAfterWhatCameBefore() throws Exception {
    offer("abc");
    queue.end();
    assertThat(take(9)).isEqualTo("abc");
    assertThat(take(9)).isEqualTo("end");
    queue.fail(new IOException("later"));
    assertThat(take(9)).isEqualTo("end");
  }

  @Test
  void failsAfterWhatCameBefore() throws Exception {
    offer("abc");
    queue.fail(new IOException("lost"));
    queue.end();
    assertThat(take(9)).isEqualTo("abc");
    assertThatThrownBy(() -> take(9)).isInstanceOf(IOException.class).hasMessage("lost");
  }

  @Test
  void refusesMoreThanTheWindow() throws Exception {
    byte[] all = new byte[(int) queue.initialWindow()];
    queue.offer(all, 0, all.length);
    assertThatThrownBy(() -> queue.offer(all, 0, 1)).isInstanceOf(SshException.class);
  }

  @Test
  void widensTheWindowByWhatWasTakenOnly() throws Exception {
    int window = (int) queue.initialWindow();
    queue.offer(new byte[window], 0, window);
    ByteBuffer half = ByteBuffer.allocate(window / 2);
    queue.take(half);
    assertThat(queue.release(window / 2)).isEqualTo(window / 2);
    queue.offer(new byte[window / 2], 0, window / 2);
    assertThatThrownBy(() -> queue.offer(new byte[1], 0, 1)).isInstanceOf(SshException.class);
  }

  @Test
  void aStreamThatIsReadAsFastAsItFillsGetsAWiderWindowUpToItsShare() throws Exception {
    assertThat(pass(1000, 1_000_000)).isBetween(38L << 20, 43L << 20);
    assertThat(budget.left()).isBetween(21L << 20, 22L << 20);
    queue.abandon(new IOException("closed"));
    queue.abandon(new IOException("closed"));
    assertThat(budget.left()).isEqualTo(64L << 20);
  }

  @Test
  void aStreamThatIsFastEnoughNeedsNoVeryWideWindow() throws Exception {
    // 64 KiB in 40 µs.
    assertThat(pass(1000, 40_000)).isBetween((4L << 20) - (1 << 19), 4L << 20);
  }

  @Test
  void aWideWindowShrinksWhenOthersNeedTheRoom() throws Exception {
    assertThat(pass(1000, 1_000_000)).isGreaterThan(38L << 20);
    List<InboundQueue> others = new ArrayList<>();
    while (!budget.isScarce()) {
      others.add(new InboundQueue(budget));
    }
    pass(1000, 1_000_000);
    // So much that nothing is scarce any more.
    assertThat(budget.isScarce()).isFalse();
    InboundQueue late = new InboundQueue(budget);
    assertThat(late.initialWindow()).isEqualTo(ReceiveBudget.INITIAL);
    for (InboundQueue other : others) {
      other.abandon(new IOException("closed"));
    }
    late.abandon(new IOException("closed"));
    queue.abandon(new IOException("closed"));
    assertThat(budget.left()).isEqualTo(64L << 20);
  }

  @Test
  void aWideWindowShrinksWhenItsReaderFallsBehind() throws Exception {
    long window = pass(1000, 1_000_000);
    queue.offer(new byte[(int) window], 0, (int) window);
    for (int read = 0; read < window; read += 1 << 16) {
      queue.take(ByteBuffer.allocate(1 << 16));
      queue.release(1 << 16);
    }
    assertThat(budget.left()).isGreaterThan(40L << 20);
  }

  /** Has 64 KiB come and taken at once, so many times; how far the peer's window is open then. */
  private long pass(int times, long nanos) throws Exception {
    int count = 64 << 10;
    for (int i = 0; i < times; i++) {
      now += nanos;
      queue.offer(new byte[count], 0, count);
      queue.take(ByteBuffer.allocate(count));
      open += queue.release(count) - count;
    }
    return open;
  }

  @Test
  void aStreamThatIsReadTooSlowlyKeepsItsWindow() throws Exception {
    offer("always behind");
    for (int i = 0; i < 1000; i++) {
      int count = 64 << 10;
      queue.offer(new byte[count], 0, count);
      queue.take(ByteBuffer.allocate(count));
      queue.release(count);
    }
    assertThat(budget.left()).isEqualTo((64L << 20) - queue.initialWindow());
  }

  @Test
  void manyStreamsShareWhatThereIs() {
    ReceiveBudget small = new ReceiveBudget(1 << 20);
    assertThat(new InboundQueue(small).initialWindow()).isEqualTo(ReceiveBudget.INITIAL);
    assertThat(new InboundQueue(small).initialWindow()).isEqualTo(ReceiveBudget.INITIAL);
    assertThat(new InboundQueue(small).initialWindow()).isEqualTo(ReceiveBudget.LEAST);
    assertThat(small.widen(ReceiveBudget.LEAST)).isZero();
  }

  @Test
  void abandoningReleasesWhoWaits() {
    CompletableFuture<String> taken = Bytes.async(() -> take(9));
    queue.abandon(new IOException("closed"));
    assertThatThrownBy(taken::join).hasCauseInstanceOf(IOException.class);
  }
}
