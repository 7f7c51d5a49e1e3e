package org.tpforward.relay;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicInteger;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.tpforward.relay.Ends.Kind;

/** Between two local sockets; ssh.QuietChannelTest has it over a real SSH connection. */
@Timeout(20)
class QuietRelayTest {
  @TempDir Path dir;

  private final Hooks hooks = new Hooks();
  private TestLoop loop;
  private Ends near;
  private Ends far;

  @BeforeEach
  void open() throws IOException {
    loop = new TestLoop();
    near = Ends.of(Kind.PATH, dir);
    far = Ends.of(Kind.PATH, dir);
  }

  @AfterEach
  void close() throws IOException {
    near.close();
    far.close();
    loop.close();
  }

  private QuietRelay start(Kind kind) throws IOException {
    if (kind != Kind.PATH) {
      near.close();
      far.close();
      near = Ends.of(kind, dir);
      far = Ends.of(kind, dir);
    }
    QuietRelay relay = new QuietRelay("test", near.inner(), far.inner(), loop, hooks);
    relay.begin();
    return relay;
  }

  private Duplex client() {
    return near.outer();
  }

  private Duplex service() {
    return far.outer();
  }

  @ParameterizedTest
  @EnumSource(names = {"PATH", "IPV4"})
  void aShortConversationNeedsNoThread(Kind kind) throws Exception {
    QuietRelay relay = start(kind);
    for (int i = 0; i < 100; i++) {
      Traffic.write(client(), "question");
      assertThat(Traffic.read(service(), 8)).isEqualTo("question");
      Traffic.write(service(), "answer");
      assertThat(Traffic.read(client(), 6)).isEqualTo("answer");
    }
    client().shutdownOutput();
    assertThat(Traffic.read(service(), 1)).isEqualTo("<end>");
    Traffic.write(service(), "last words");
    assertThat(Traffic.read(client(), 10)).isEqualTo("last words");
    assertThat(hooks.done.getCount()).isOne();
    service().shutdownOutput();
    assertThat(Traffic.read(client(), 1)).isEqualTo("<end>");
    hooks.done.await();
    assertThat(relay.relay()).isNull();
    assertThat(relay.bytesFromNear()).isEqualTo(800);
    assertThat(relay.bytesFromFar()).isEqualTo(610);
    assertThat(near.inner().isOpen() || far.inner().isOpen()).isFalse();
  }

  @Test
  void theFarEndMayEndFirst() throws Exception {
    QuietRelay relay = start(Kind.PATH);
    Traffic.write(service(), "greeting");
    service().shutdownOutput();
    assertThat(Traffic.read(client(), 9)).isEqualTo("greeting<end>");
    Traffic.write(client(), "more");
    client().shutdownOutput();
    assertThat(Traffic.read(service(), 5)).isEqualTo("more<end>");
    hooks.done.await();
    assertThat(relay.relay()).isNull();
  }

  @ParameterizedTest
  @EnumSource(names = {"PATH", "IPV4"})
  void threadsGoOnWithWhatIsMuch(Kind kind) throws Exception {
    QuietRelay relay = start(kind);
    Traffic.write(client(), "hello");
    assertThat(Traffic.read(service(), 5)).isEqualTo("hello");
    CompletableFuture<Long> sentOut = Traffic.run(() -> Traffic.send(client(), 3 << 20, 1));
    CompletableFuture<Long> sentIn = Traffic.run(() -> Traffic.send(service(), 5 << 20, 2));
    CompletableFuture<Long> gotOut = Traffic.run(() -> Traffic.receive(service()));
    assertThat(Traffic.receive(client())).isEqualTo(sentIn.get());
    assertThat(gotOut.get()).isEqualTo(sentOut.get());
    hooks.done.await();
    assertThat(relay.relay()).isNotNull();
    assertThat(relay.bytesFromNear()).isEqualTo((3 << 20) + 5);
    assertThat(relay.bytesFromFar()).isEqualTo(5 << 20);
    assertThat(hooks.failures).hasValue(0);
  }

  /** What was read and not taken is the first that the relay writes. */
  @ParameterizedTest
  @EnumSource(names = {"PATH", "IPV4"})
  void nothingIsLostToAReaderThatLetsItPileUp(Kind kind) throws Exception {
    QuietRelay relay = start(kind);
    int pieces = 0;
    ByteBuffer piece = ByteBuffer.allocate(5001);
    while (relay.relay() == null) {
      for (int i = 0; i < piece.capacity(); i++) {
        piece.put(i, (byte) (pieces + i));
      }
      service().write(piece.clear());
      pieces++;
    }
    service().shutdownOutput();
    ByteBuffer got = ByteBuffer.allocate(piece.capacity());
    for (int i = 0; i < pieces; i++) {
      got.clear();
      while (got.hasRemaining()) {
        assertThat(client().read(got)).isPositive();
      }
      for (int at = 0; at < got.capacity(); at++) {
        if (got.get(at) != (byte) (i + at)) {
          throw new AssertionError("byte " + at + " of piece " + i + " is another");
        }
      }
    }
    assertThat(client().read(got.clear())).isEqualTo(-1);
    client().close();
    hooks.done.await();
    assertThat(relay.bytesFromFar()).isEqualTo(5001L * pieces);
  }

  @Test
  void aResetIsPassedOnAsOne() throws Exception {
    start(Kind.IPV4);
    Traffic.write(service(), "part");
    assertThat(Traffic.read(client(), 4)).isEqualTo("part");
    service().reset();
    assertThatThrownBy(() -> Traffic.read(client(), 1)).isInstanceOf(IOException.class);
    hooks.done.await();
    assertThat(hooks.failures).hasValue(1);
    assertThat(hooks.failedSide).isEqualTo(Relay.Side.FAR);
  }

  @Test
  void theLastWordsOfAServiceThatStopsReadingArrive() throws Exception {
    start(Kind.IPV4);
    Traffic.write(client(), "x".repeat(100));
    assertThat(Traffic.read(service(), 100)).hasSize(100);
    Traffic.write(service(), "too large");
    service().close();
    CompletableFuture<Integer> writing =
        Traffic.run(() -> client().write(ByteBuffer.allocateDirect(64 << 20)));
    assertThat(Traffic.read(client(), 9)).isEqualTo("too large");
    assertThatThrownBy(writing::get).hasCauseInstanceOf(IOException.class);
    hooks.done.await();
  }

  @ParameterizedTest
  @EnumSource(names = {"PATH", "IPV4"})
  void abortEndsWhatIsQuiet(Kind kind) throws Exception {
    QuietRelay relay = start(kind);
    relay.abort("link lost");
    relay.abort("and again");
    hooks.done.await();
    Relay busy = relay.relay();
    assertThat(busy == null ? "none" : busy.reason()).isEqualTo("link lost");
    assertThat(near.inner().isOpen() || far.inner().isOpen()).isFalse();
    assertThat(service().isOpen()).isTrue();
    assertThatThrownBy(() -> readOrThrowAtEnd(client())).isInstanceOf(IOException.class);
    assertThatThrownBy(() -> readOrThrowAtEnd(service())).isInstanceOf(IOException.class);
  }

  @Test
  void anEndThatWasNotEarnedIsAReset() throws Exception {
    start(Kind.IPV4);
    hooks.earned = false;
    service().shutdownOutput();
    assertThatThrownBy(() -> Traffic.read(client(), 1)).isInstanceOf(IOException.class);
    hooks.done.await();
  }

  private static void readOrThrowAtEnd(Duplex from) throws IOException {
    if (from.read(ByteBuffer.allocate(1)) < 0) {
      throw new IOException("ended");
    }
  }

  private static final class Hooks implements Relay.Hooks {
    final CountDownLatch done = new CountDownLatch(1);
    final AtomicInteger failures = new AtomicInteger();
    volatile boolean earned = true;
    volatile Relay.@Nullable Side failedSide;

    @Override
    public boolean atEof(Relay.Side from, long bytes) {
      return earned;
    }

    @Override
    public void atFailure(Relay.Side broken, IOException failure) {
      failures.incrementAndGet();
      failedSide = broken;
    }

    @Override
    public void done() {
      assertThat(done.getCount()).isOne();
      done.countDown();
    }
  }
}
