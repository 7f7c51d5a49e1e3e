package org.tpforward.agent.forward;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;

/** When the end of an incoming file's bytes may be shown to its reader. */
class TransferStateTest {
  private static final long CLIENT = 7;

  private final AtomicInteger lookups = new AtomicInteger();

  private TransferState of(long size, long offsetAtCm) {
    return new TransferState(
        size,
        () -> {
          lookups.incrementAndGet();
          return offsetAtCm;
        },
        CLIENT);
  }

  @Test
  void allOfTheBytesEarnTheEnd() throws Exception {
    TransferState file = of(100, 0);
    file.offsetDefined(0);
    assertThat(file.awaitEarned(100, () -> false)).isTrue();
    assertThat(lookups).hasValue(0);
  }

  @Test
  void aResumedFileIsWholeWithoutWhatWasThereBefore() throws Exception {
    TransferState file = of(100, 0);
    file.offsetDefined(60);
    assertThat(file.awaitEarned(40, () -> false)).isTrue();
  }

  @Test
  void nothingIsLeftToSendWhereTheOffsetIsTheSize() throws Exception {
    TransferState file = of(100, 100);
    assertThat(file.awaitEarned(0, () -> false)).isTrue();
  }

  @Test
  void theCmIsAskedForAnOffsetThatItHasNotSignalled() throws Exception {
    TransferState file = of(100, 60);
    assertThat(file.awaitEarned(40, () -> false)).isTrue();
    assertThat(lookups).hasValue(1);
  }

  @Test
  void theSignalCountsMoreThanWhatWasAsked() throws Exception {
    CompletableFuture<TransferState> self = new CompletableFuture<>();
    TransferState file =
        new TransferState(
            100,
            () -> {
              self.join().offsetDefined(50);
              return 0;
            },
            CLIENT);
    self.complete(file);
    assertThat(file.awaitEarned(50, () -> false)).isTrue();
  }

  @Test
  void aPartIsNoFileOnceItsReaderHasBeenTold() throws Exception {
    TransferState file = of(100, 0);
    file.told(CLIENT);
    assertThat(file.awaitEarned(99, () -> false)).isFalse();
    assertThat(lookups).as("nobody to ask any more").hasValue(0);
  }

  @Test
  void moreThanTheSizeIsNoWholeFileEither() throws Exception {
    TransferState file = of(100, 0);
    file.offsetDefined(0);
    file.toldAll();
    assertThat(file.awaitEarned(101, () -> false)).isFalse();
  }

  @Test
  void anOffsetBeyondTheSizeIsNeverWhole() throws Exception {
    TransferState file = of(100, 0);
    file.offsetDefined(200);
    file.toldAll();
    assertThat(file.awaitEarned(0, () -> false)).isFalse();
  }

  @Test
  void ofAnUnknownSizeOnlyTheCmCanSayThatItIsWhole() throws Exception {
    TransferState file = of(TransferState.UNKNOWN_SIZE, 0);
    file.completed();
    assertThat(file.awaitEarned(12345, () -> false)).isTrue();
    TransferState cut = of(TransferState.UNKNOWN_SIZE, 0);
    cut.toldAll();
    assertThat(cut.awaitEarned(12345, () -> false)).isFalse();
  }

  @Test
  void completedEarnsTheEndWhateverTheCountSays() throws Exception {
    TransferState file = of(100, 0);
    file.completed();
    assertThat(file.awaitEarned(99, () -> false)).isTrue();
  }

  @Test
  void completedCountsMoreThanThatItIsOverToo() throws Exception {
    TransferState file = of(TransferState.UNKNOWN_SIZE, 0);
    file.completed();
    file.told(CLIENT);
    assertThat(file.awaitEarned(5, () -> false)).isTrue();
  }

  @Test
  void theEndIsHeldUntilTheAcceptingClientHasBeenTold() throws Exception {
    CountDownLatch asked = new CountDownLatch(1);
    TransferState file =
        new TransferState(
            100,
            () -> {
              asked.countDown();
              return 0;
            },
            CLIENT);
    CompletableFuture<Boolean> earned = Sockets.start(() -> file.awaitEarned(99, () -> false));
    asked.await();
    file.told(CLIENT + 1);
    assertThat(earned).as("another client was told").isNotDone();
    file.told(CLIENT);
    assertThat(earned.get(30, TimeUnit.SECONDS)).isFalse();
  }

  @Test
  void aHeldEndIsShownWhenTheCmSaysCompletedAfterAll() throws Exception {
    TransferState file = of(TransferState.UNKNOWN_SIZE, 0);
    CompletableFuture<Boolean> earned = Sockets.start(() -> file.awaitEarned(99, () -> false));
    file.completed();
    assertThat(earned.get(30, TimeUnit.SECONDS)).isTrue();
  }

  @Test
  void aBrokenStreamWaitsForItsReaderToBeToldHoweverLongThatTakes() throws Exception {
    TransferState file = of(100, 0);
    CompletableFuture<Boolean> waiting =
        Sockets.start(() -> {
          file.awaitTold(() -> false);
          return true;
        });
    file.completed();
    file.told(CLIENT + 1);
    assertThat(waiting).isNotDone();
    file.toldAll();
    assertThat(waiting.get(30, TimeUnit.SECONDS)).isTrue();
  }
}
