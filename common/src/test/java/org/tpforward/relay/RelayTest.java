package org.tpforward.relay;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.MethodSource;
import org.tpforward.relay.Ends.Kind;

@Timeout(20)
class RelayTest {
  @TempDir Path dir;

  private final Hooks hooks = new Hooks();
  private @Nullable Ends near;
  private @Nullable Ends far;

  @AfterEach
  void close() {
    if (near != null) {
      near.close();
    }
    if (far != null) {
      far.close();
    }
  }

  private Relay start(Kind nearKind, Kind farKind) throws IOException {
    near = Ends.of(nearKind, dir);
    far = Ends.of(farKind, dir);
    return Relay.start("test", near.inner(), far.inner(), hooks);
  }

  @Test
  void aRelayThatGetsNoSecondThreadLeavesNoFirstOneBehind() throws Exception {
    near = Ends.of(Kind.PATH, dir);
    far = Ends.of(Kind.PATH, dir);
    List<Thread> started = new ArrayList<>();
    Relay relay =
        Relay.start(
            "test",
            near.inner(),
            far.inner(),
            hooks,
            (name, task) -> {
              if (!started.isEmpty()) {
                throw new OutOfMemoryError("unable to create native thread");
              }
              started.add(Threads.start(name, task));
            });
    relay.await();
    started.getFirst().join();
    assertThat(relay.reason()).isEqualTo("no thread");
    assertThat(near.outer().read(ByteBuffer.allocate(1))).isEqualTo(-1);
    assertThat(far.outer().read(ByteBuffer.allocate(1))).isEqualTo(-1);
  }

  private Ends near() {
    return Objects.requireNonNull(near);
  }

  private Ends far() {
    return Objects.requireNonNull(far);
  }

  private Duplex client() {
    return near().outer();
  }

  private Duplex service() {
    return far().outer();
  }

  static Stream<Arguments> pairsOfKinds() {
    return Stream.of(Kind.values())
        .flatMap(a -> Stream.of(Kind.values()).map(b -> Arguments.of(a, b)));
  }

  @ParameterizedTest
  @MethodSource("pairsOfKinds")
  void everyByteArrivesBothWaysAtOnce(Kind nearKind, Kind farKind) throws Exception {
    passes(start(nearKind, farKind), 3 << 20, 5 << 20);
  }

  @Test
  void junixsocketAndTheJdkMixedDoNotStall() throws Exception {
    passes(start(Kind.PATH, Kind.ABSTRACT), 128L << 20, 128L << 20);
  }

  private void passes(Relay relay, long out, long in) throws Exception {
    CompletableFuture<Long> sentOut = Traffic.run(() -> Traffic.send(client(), out, 1));
    CompletableFuture<Long> sentIn = Traffic.run(() -> Traffic.send(service(), in, 2));
    CompletableFuture<Long> gotOut = Traffic.run(() -> Traffic.receive(service()));
    assertThat(Traffic.receive(client())).isEqualTo(sentIn.get());
    assertThat(gotOut.get()).isEqualTo(sentOut.get());
    relay.await();
    assertThat(relay.bytesFromNear()).isEqualTo(out);
    assertThat(relay.bytesFromFar()).isEqualTo(in);
    assertThat(relay.reason()).isNull();
    assertThat(hooks.failures).hasValue(0);
    assertThat(hooks.done).hasValue(1);
  }

  @ParameterizedTest
  @EnumSource(Kind.class)
  void anEndIsPassedOnAndTheOtherDirectionGoesOn(Kind kind) throws Exception {
    Relay relay = start(kind, kind);
    Traffic.write(client(), "question");
    client().shutdownOutput();
    assertThat(Traffic.read(service(), 9)).isEqualTo("question<end>");
    Traffic.write(service(), "answer");
    assertThat(Traffic.read(client(), 6)).isEqualTo("answer");
    assertThat(relay.isOver()).isFalse();
    service().shutdownOutput();
    assertThat(Traffic.read(client(), 1)).isEqualTo("<end>");
    relay.await();
    assertThat(near().inner().isOpen() || far().inner().isOpen()).isFalse();
  }

  @ParameterizedTest
  @EnumSource(Kind.class)
  void theFarEndMayEndFirst(Kind kind) throws Exception {
    Relay relay = start(kind, kind);
    Traffic.write(service(), "greeting");
    service().shutdownOutput();
    assertThat(Traffic.read(client(), 9)).isEqualTo("greeting<end>");
    Traffic.write(client(), "more");
    client().shutdownOutput();
    assertThat(Traffic.read(service(), 5)).isEqualTo("more<end>");
    relay.await();
  }

  @Test
  void anEndIsHeldUntilTheHookLetsItPass() throws Exception {
    Relay relay = start(Kind.PATH, Kind.PATH);
    hooks.holdEof = true;
    Traffic.write(service(), "all of it");
    service().shutdownOutput();
    assertThat(Traffic.read(client(), 9)).isEqualTo("all of it");
    hooks.entered.await();
    assertThat(hooks.atEofBytes).isEqualTo(9);
    assertThat(hooks.atEofSide).isEqualTo(Relay.Side.FAR);
    assertNothingToRead();
    Traffic.write(client(), "the other way goes on");
    assertThat(Traffic.read(service(), 21)).isEqualTo("the other way goes on");
    hooks.release.countDown();
    assertThat(Traffic.read(client(), 1)).isEqualTo("<end>");
    client().close();
    relay.await();
  }

  @ParameterizedTest
  @EnumSource(names = {"IPV4", "IPV6"})
  void anEndThatWasNotEarnedIsAResetWhereThereIsOne(Kind kind) throws Exception {
    Relay relay = start(kind, Kind.PATH);
    hooks.earned = false;
    service().close();
    assertThatThrownBy(() -> Traffic.read(client(), 1)).isInstanceOf(IOException.class);
    relay.await();
    assertThat(relay.reason()).contains("not earned");
    assertThat(hooks.done).hasValue(1);
  }

  @ParameterizedTest
  @EnumSource(names = {"IPV4", "IPV6"})
  void aResetIsPassedOnAsOne(Kind kind) throws Exception {
    Relay relay = start(kind, kind);
    service().reset();
    assertThatThrownBy(() -> Traffic.read(client(), 1)).isInstanceOf(IOException.class);
    relay.await();
    assertThat(hooks.failures).hasValue(1);
    assertThat(hooks.failedSide).isEqualTo(Relay.Side.FAR);
    assertThat(relay.reason()).isNotNull();
  }

  @Test
  void theOtherEndIsHeldOpenAsLongAsTheHookOfAFailureWaits() throws Exception {
    Relay relay = start(Kind.PATH, Kind.IPV4);
    hooks.holdFailure = true;
    Traffic.write(service(), "part");
    assertThat(Traffic.read(client(), 4)).isEqualTo("part");
    service().reset();
    hooks.entered.await();
    assertNothingToRead();
    assertThat(far().inner().isOpen()).as("the broken end is gone already").isFalse();
    hooks.release.countDown();
    assertThat(Traffic.read(client(), 1)).isEqualTo("<end>");
    relay.await();
  }

  @Test
  void theHookOfAFailureNeedNotWaitWhenTheOtherEndBreaksToo() throws Exception {
    Relay relay = start(Kind.IPV4, Kind.IPV4);
    hooks.holdFailure = true;
    service().reset();
    hooks.entered.await();
    client().reset();
    relay.await();
    assertThat(hooks.interrupted).isTrue();
    assertThat(hooks.failures).hasValue(1);
  }

  @ParameterizedTest
  @EnumSource(names = {"PATH", "ABSTRACT"})
  void theLastWordsOfAServiceThatStopsReadingArrive(Kind kind) throws Exception {
    Relay relay = start(Kind.IPV4, kind);
    // The service answers and goes without reading the request to its end.
    Traffic.write(client(), "x".repeat(100));
    assertThat(Traffic.read(service(), 100)).hasSize(100);
    Traffic.write(service(), "too large");
    service().close();
    CompletableFuture<Integer> writing =
        Traffic.run(() -> client().write(ByteBuffer.allocateDirect(64 << 20)));
    assertThat(Traffic.read(client(), 9)).isEqualTo("too large");
    // And the client learns that its request was not taken.
    assertThatThrownBy(writing::get).hasCauseInstanceOf(IOException.class);
    relay.await();
    assertThat(relay.reason()).isNotNull();
    assertThat(hooks.failedSide).isEqualTo(Relay.Side.FAR);
  }

  @ParameterizedTest
  @EnumSource(Kind.class)
  void whoDoesNotReadStopsWhoWrites(Kind kind) throws Exception {
    Relay relay = start(kind, kind);
    CompletableFuture<Integer> writing =
        Traffic.run(() -> client().write(ByteBuffer.allocateDirect(256 << 20)));
    assertThat(Traffic.read(service(), 1000)).hasSize(1000);
    relay.abort("enough");
    assertThatThrownBy(writing::get).hasCauseInstanceOf(IOException.class);
    relay.await();
    assertThat(relay.bytesFromNear()).isLessThan(128 << 20);
    assertThat(relay.reason()).isEqualTo("enough");
  }

  @ParameterizedTest
  @EnumSource(Kind.class)
  void abortEndsWhatIsIdle(Kind kind) throws Exception {
    Relay relay = start(kind, kind);
    relay.abort("link lost");
    relay.abort("and again");
    relay.await();
    assertThat(relay.reason()).isEqualTo("link lost");
    assertThat(hooks.failures).as("failures of streams").hasValue(0);
    assertThat(hooks.done).hasValue(1);
    assertThatThrownBy(() -> readOrThrowAtEnd(client())).isInstanceOf(IOException.class);
  }

  @Test
  void abortEndsAHook() throws Exception {
    Relay relay = start(Kind.PATH, Kind.PATH);
    hooks.holdEof = true;
    service().shutdownOutput();
    hooks.entered.await();
    relay.abort("told");
    relay.await();
    assertThat(hooks.interrupted).isTrue();
    assertThat(relay.reason()).isEqualTo("told");
  }

  @Test
  void aThreadInsideAStreamIsNeverInterrupted() throws Exception {
    Blocking nearEnd = new Blocking();
    Blocking farEnd = new Blocking();
    Relay relay = Relay.start("test", nearEnd, farEnd, hooks);
    nearEnd.reading.await();
    farEnd.reading.await();
    relay.abort("enough");
    relay.await();
    assertThat(nearEnd.interrupted || farEnd.interrupted).isFalse();
    // Neither says what is beneath: it may be a socket of junixsocket's.
    assertThat(nearEnd.virtual || farEnd.virtual).isFalse();
  }

  @Test
  void aHookThatThrowsEndsTheRelayAndIsDoneAllTheSame() throws Exception {
    Relay relay = start(Kind.PATH, Kind.PATH);
    hooks.fault = new IllegalStateException("a mistake in a hook");
    service().shutdownOutput();
    relay.await();
    assertThat(hooks.done).hasValue(1);
    assertThat(relay.reason()).contains("a mistake in a hook");
  }

  @Test
  void manyAtOnceLeaveNoThreadAndNoBuffer() throws Exception {
    CountDownLatch allDone = new CountDownLatch(100);
    List<Ends> ends = new ArrayList<>();
    List<Relay> relays = new ArrayList<>();
    for (int i = 0; i < 100; i++) {
      Ends one = Ends.of(Kind.PATH, dir);
      Ends other = Ends.of(Kind.PATH, dir);
      ends.add(one);
      ends.add(other);
      relays.add(Relay.start("one of many", one.inner(), other.inner(), allDone::countDown));
    }
    for (int i = 0; i < ends.size(); i += 2) {
      Duplex from = ends.get(i).outer();
      Duplex to = ends.get(i + 1).outer();
      CompletableFuture<Long> sent = Traffic.run(() -> Traffic.send(from, 300_000, 7));
      assertThat(Traffic.receive(to)).isEqualTo(sent.get());
      to.close();
    }
    allDone.await();
    for (Thread thread : Thread.getAllStackTraces().keySet()) {
      if (thread.getName().startsWith("one of many")) {
        thread.join();
      }
    }
    assertThat(relays).allMatch(relay -> relay.reason() == null);
    assertThat(PumpBuffer.lent()).isZero();
    ends.forEach(Ends::close);
  }

  private void assertNothingToRead() throws IOException {
    near().outer().channel().configureBlocking(false);
    assertThat(near().outer().channel().read(ByteBuffer.allocate(1))).isZero();
    near().outer().channel().configureBlocking(true);
  }

  /** On a Unix socket a reset looks like an end. */
  private static void readOrThrowAtEnd(Duplex from) throws IOException {
    if (from.read(ByteBuffer.allocate(1)) < 0) {
      throw new IOException("ended");
    }
  }

  /** What a test decides, and what it was asked. */
  private static final class Hooks implements Relay.Hooks {
    final CountDownLatch entered = new CountDownLatch(1);
    final CountDownLatch release = new CountDownLatch(1);
    final AtomicInteger failures = new AtomicInteger();
    final AtomicInteger done = new AtomicInteger();
    volatile boolean holdEof;
    volatile boolean holdFailure;
    volatile boolean earned = true;
    volatile boolean interrupted;
    volatile long atEofBytes;
    volatile Relay.@Nullable Side atEofSide;
    volatile Relay.@Nullable Side failedSide;
    volatile @Nullable RuntimeException fault;

    @Override
    public boolean atEof(Relay.Side from, long bytes) throws InterruptedException {
      RuntimeException thrown = fault;
      if (thrown != null) {
        throw thrown;
      }
      if (holdEof && from == Relay.Side.FAR) {
        atEofSide = from;
        atEofBytes = bytes;
        hold();
      }
      return earned;
    }

    @Override
    public void atFailure(Relay.Side broken, IOException failure) throws InterruptedException {
      failures.incrementAndGet();
      failedSide = broken;
      if (holdFailure) {
        hold();
      }
    }

    private void hold() throws InterruptedException {
      entered.countDown();
      try {
        release.await();
      } catch (InterruptedException e) {
        interrupted = true;
        throw e;
      }
    }

    @Override
    public void done() {
      done.incrementAndGet();
    }
  }

  /** A stream that blocks until it is reset, and notices an interrupt. */
  private static final class Blocking implements Duplex {
    final CountDownLatch reading = new CountDownLatch(1);
    private final AtomicBoolean open = new AtomicBoolean(true);
    private final CountDownLatch closed = new CountDownLatch(1);
    volatile boolean virtual;
    volatile boolean interrupted;

    @Override
    public int read(ByteBuffer dst) throws IOException {
      virtual |= Thread.currentThread().isVirtual();
      reading.countDown();
      try {
        if (!closed.await(60, TimeUnit.SECONDS)) {
          throw new AssertionError("nobody reset it");
        }
      } catch (InterruptedException e) {
        interrupted = true;
      }
      interrupted |= Thread.currentThread().isInterrupted();
      throw new IOException("reset");
    }

    @Override
    public int write(ByteBuffer src) {
      int n = src.remaining();
      src.position(src.limit());
      return n;
    }

    @Override
    public void shutdownOutput() {}

    @Override
    public void close() {
      reset();
    }

    @Override
    public void reset() {
      if (open.compareAndSet(true, false)) {
        closed.countDown();
      }
    }

    @Override
    public boolean isOpen() {
      return open.get();
    }
  }
}
