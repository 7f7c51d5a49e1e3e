package org.tpforward.socket;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.net.InetAddress;
import java.net.SocketTimeoutException;
import java.nio.ByteBuffer;
import java.nio.channels.ClosedChannelException;
import java.nio.channels.ServerSocketChannel;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;
import org.newsclub.net.unix.AFUNIXServerSocketChannel;

class ConnectionTest {
  @TempDir Path dir;

  @ParameterizedTest
  @EnumSource(Kind.class)
  void anEndInOneDirectionLeavesTheOther(Kind kind) throws Exception {
    try (Pair pair = Pair.of(kind, dir)) {
      Bytes.send(pair.client(), "all");
      pair.client().shutdownOutput();
      assertThat(Bytes.receive(pair.server(), 3)).isEqualTo("all");
      assertThat(pair.server().read(ByteBuffer.allocate(1))).isEqualTo(-1);
      Bytes.send(pair.server(), "answer");
      assertThat(Bytes.receive(pair.client(), 6)).isEqualTo("answer");
    }
  }

  @ParameterizedTest
  @EnumSource(Kind.class)
  void whatWasWrittenBeforeCloseIsDelivered(Kind kind) throws Exception {
    try (Pair pair = Pair.of(kind, dir)) {
      Bytes.send(pair.client(), "last words");
      pair.client().close();
      pair.client().close();
      assertThat(Bytes.receive(pair.server(), 10)).isEqualTo("last words");
      assertThat(pair.server().read(ByteBuffer.allocate(1))).isEqualTo(-1);
    }
  }

  @ParameterizedTest
  @EnumSource(names = {"IPV4", "IPV6"})
  void aResetIsNoEnd(Kind kind) throws Exception {
    try (Pair pair = Pair.of(kind, dir)) {
      pair.client().reset();
      pair.client().close();
      assertThatThrownBy(() -> pair.server().read(ByteBuffer.allocate(1)))
          .isInstanceOf(IOException.class);
    }
  }

  @ParameterizedTest
  @EnumSource(names = {"PATH", "ABSTRACT"})
  void aUnixPeerThatClosesWithoutReadingIsNoEnd(Kind kind) throws Exception {
    try (Pair pair = Pair.of(kind, dir)) {
      Bytes.send(pair.server(), "nobody reads this");
      pair.client().close();
      assertThatThrownBy(() -> pair.server().read(ByteBuffer.allocate(1)))
          .isInstanceOf(IOException.class);
    }
  }

  @ParameterizedTest
  @EnumSource(Kind.class)
  void closingEndsAReadThatWaitsAndThatIsNoEnd(Kind kind) throws Exception {
    endsWhatBlocks(kind, false, Connection::close);
    endsWhatBlocks(kind, false, Connection::reset);
  }

  @ParameterizedTest
  @EnumSource(Kind.class)
  void closingEndsAWriteThatWaits(Kind kind) throws Exception {
    endsWhatBlocks(kind, true, Connection::close);
    endsWhatBlocks(kind, true, Connection::reset);
  }

  private void endsWhatBlocks(Kind kind, boolean writing, Consumer<Connection> end)
      throws Exception {
    try (Pair pair = Pair.of(kind, dir)) {
      CompletableFuture<Thread> waits = new CompletableFuture<>();
      CompletableFuture<Integer> result =
          Threads.run(() -> {
            waits.complete(Thread.currentThread());
            return writing
                ? pair.server().write(ByteBuffer.allocateDirect(64 << 20))
                : pair.server().read(ByteBuffer.allocateDirect(1));
          });
      Threads.awaitBlockedInNativeCode(waits.get());
      end.accept(pair.server());
      assertThatThrownBy(() -> result.get(30, TimeUnit.SECONDS))
          .isInstanceOf(ExecutionException.class)
          .hasCauseInstanceOf(ClosedChannelException.class);
      assertThat(pair.server().isOpen()).isFalse();
    }
  }

  @Test
  void addressesOfTcpAreKnownEvenAfterwards() throws Exception {
    try (Pair pair = Pair.of(Kind.IPV4, dir)) {
      pair.client().close();
      pair.server().close();
      assertThat(pair.server().remote()).isEqualTo(pair.client().local());
      assertThat(pair.server().local()).isEqualTo(pair.client().remote());
      assertThat(pair.server().local()).isEqualTo(pair.listener().endpoint());
    }
    try (Pair pair = Pair.of(Kind.PATH, dir)) {
      assertThat(pair.server().remote()).isNull();
      assertThat(pair.server().local()).isNull();
    }
  }

  @ParameterizedTest
  @EnumSource(names = {"IPV4", "IPV6"})
  void theLocalPortMayBeChosen(Kind kind) throws Exception {
    Endpoint.Ip from;
    try (Listener free = Listener.open(kind.free(dir))) {
      from = (Endpoint.Ip) free.endpoint();
    }
    try (Listener listener = Listener.open(kind.free(dir));
        Connection client = Connection.connect((Endpoint.Ip) listener.endpoint(), from);
        Connection server = listener.accept()) {
      assertThat(server.remote()).isEqualTo(from);
      assertThat(client.local()).isEqualTo(from);
    }
  }

  @ParameterizedTest
  @EnumSource(Kind.class)
  void whereNobodyListensTheMessageSaysWhere(Kind kind) throws Exception {
    Endpoint gone;
    try (Listener listener = Listener.open(kind.free(dir))) {
      gone = listener.endpoint();
    }
    assertThatThrownBy(() -> Connection.connect(gone))
        .isInstanceOf(IOException.class)
        .hasMessageContaining(gone.toString());
  }

  @Test
  void nothingBeyondTheMachineIsConnectedTo() {
    assertThatThrownBy(
            () -> Connection.connect(new Endpoint.Ip(InetAddress.ofLiteral("192.0.2.1"), 80)))
        .hasMessageContaining("loopback");
  }

  @ParameterizedTest
  @CsvSource({"PATH,false", "PATH,true", "ABSTRACT,false", "ABSTRACT,true"})
  void aFullBacklogIsWaitedForUntilTheTimeIsOver(Kind kind, boolean virtual) throws Exception {
    Thread.Builder threads = virtual ? Thread.ofVirtual() : Thread.ofPlatform().daemon();
    Endpoint where = kind.free(dir);
    List<Connection> queued = new ArrayList<>();
    try (ServerSocketChannel server = AFUNIXServerSocketChannel.open()) {
      server.bind(Endpoints.nativeAddress(where), 1);
      queued.add(Connection.connect(where));
      queued.add(Connection.connect(where));
      assertThatThrownBy(() ->
              Threads.run(threads, () -> Connection.connect(where, Duration.ofMillis(300)))
                  .get(30, TimeUnit.SECONDS))
          .hasCauseInstanceOf(SocketTimeoutException.class);

      CompletableFuture<Connection> patient =
          Threads.run(threads, () -> Connection.connect(where, OtherUser.PATIENCE));
      server.accept().close();
      queued.add(patient.get(30, TimeUnit.SECONDS));
    } finally {
      queued.forEach(Connection::close);
    }
  }

  @ParameterizedTest
  @EnumSource(
      value = Kind.class,
      names = {"PATH", "ABSTRACT"})
  void aPeerThatHasGoneIsToldFromOneThatHasEndedItsDirection(Kind kind) throws Exception {
    try (Pair pair = Pair.of(kind, dir)) {
      pair.client().shutdownOutput();
      assertThat(pair.server().read(ByteBuffer.allocate(1))).isEqualTo(-1);
      assertThat(pair.server().isHungUp()).isFalse();
      Bytes.send(pair.server(), "it is written to as before");
      assertThat(Bytes.receive(pair.client(), 26)).isEqualTo("it is written to as before");
      pair.client().close();
      assertThat(pair.server().isHungUp()).isTrue();
    }
  }

  @Test
  void aConnectionOfJunixsocketMayBeBegunOnAVirtualThreadAndPumpedOnPlatformThreads()
      throws Exception {
    try (Pair pair = Pair.of(Kind.ABSTRACT, dir)) {
      CompletableFuture<String> first =
          Threads.run(Thread.ofVirtual(), () -> Bytes.receive(pair.server(), 5));
      Bytes.send(pair.client(), "first");
      assertThat(first.get(30, TimeUnit.SECONDS)).isEqualTo("first");
      CompletableFuture<Integer> written =
          Threads.run(() -> pair.server().write(ByteBuffer.allocateDirect(4 << 20)));
      CompletableFuture<String> read = Threads.run(() -> Bytes.receive(pair.server(), 6));
      Bytes.receive(pair.client(), 4 << 20);
      Bytes.send(pair.client(), "second");
      assertThat(read.get(30, TimeUnit.SECONDS)).isEqualTo("second");
      assertThat(written.get(30, TimeUnit.SECONDS)).isEqualTo(4 << 20);
    }
  }
}
