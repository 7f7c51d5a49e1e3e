package org.tpforward.ssh;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.ByteBuffer;
import java.nio.channels.ServerSocketChannel;
import java.nio.channels.SocketChannel;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.tpforward.relay.Duplex;
import org.tpforward.socket.Endpoint;

/** Channels to Unix sockets through a stock sshd. */
@Timeout(60)
class SshChannelsTest {
  private static final long MIB = 1 << 20;

  @TempDir static Path directory;
  private static Sshd sshd;
  private static SshSessions client;
  private Service service;
  private int number;

  @BeforeAll
  static void start() throws Exception {
    sshd = new Sshd(directory);
    client = new SshSessions(sshd);
  }

  @AfterAll
  static void stop() {
    client.close();
    sshd.close();
  }

  @BeforeEach
  void listen() throws IOException {
    service = new Service(directory, "s" + System.nanoTime() + number++);
  }

  @AfterEach
  void unlisten() throws IOException {
    service.close();
  }

  private Duplex open() throws IOException {
    return SshChannels.open(client.session(), service.endpoint(), SshSessions.BOUND);
  }

  @Test
  void carriesBytesBothWaysAtOnceUntilEachSideEnds() throws Exception {
    try (Duplex near = open();
        SocketChannel far = service.accept()) {
      CompletableFuture<Long> up =
          Bytes.async(() -> {
            long sum = Bytes.send(near, 1, 64 * MIB);
            near.shutdownOutput();
            return sum;
          });
      CompletableFuture<Long> down =
          Bytes.async(() -> {
            long sum = Bytes.send(far, 2, 64 * MIB);
            far.shutdownOutput();
            return sum;
          });
      CompletableFuture<Bytes.Received> atFar = Bytes.async(() -> Bytes.drain(far));
      Bytes.Received atNear = Bytes.drain(near);
      assertThat(atNear).isEqualTo(new Bytes.Received(64 * MIB, down.join()));
      assertThat(atFar.join()).isEqualTo(new Bytes.Received(64 * MIB, up.join()));
    }
  }

  @Test
  void endsTheNearDirectionAndGoesOnReading() throws Exception {
    try (Duplex near = open();
        SocketChannel far = service.accept()) {
      Bytes.write(near, "question");
      near.shutdownOutput();
      assertThat(Bytes.text(far, 8)).isEqualTo("question");
      assertThat(far.read(ByteBuffer.allocate(1))).isEqualTo(-1);
      Bytes.write(far, "answer");
      far.shutdownOutput();
      assertThat(Bytes.text(near, 6)).isEqualTo("answer");
      assertThat(near.read(ByteBuffer.allocate(1))).isEqualTo(-1);
      assertThatThrownBy(() -> Bytes.write(near, "more")).isInstanceOf(IOException.class);
    }
  }

  @Test
  void seesTheFarDirectionEndAndGoesOnWriting() throws Exception {
    try (Duplex near = open();
        SocketChannel far = service.accept()) {
      Bytes.write(far, "greeting");
      far.shutdownOutput();
      assertThat(Bytes.text(near, 8)).isEqualTo("greeting");
      assertThat(near.read(ByteBuffer.allocate(1))).isEqualTo(-1);
      Bytes.write(near, "thanks");
      assertThat(Bytes.text(far, 6)).isEqualTo("thanks");
    }
  }

  @Test
  void deliversWhatWasWrittenBeforeClose() throws Exception {
    Duplex near = open();
    try (SocketChannel far = service.accept()) {
      CompletableFuture<Bytes.Received> received = Bytes.async(() -> Bytes.drain(far));
      long sum = Bytes.send(near, 3, 8 * MIB);
      near.close();
      assertThat(received.join()).isEqualTo(new Bytes.Received(8 * MIB, sum));
      assertThat(near.isOpen()).isFalse();
      assertThatThrownBy(() -> near.read(ByteBuffer.allocate(1))).isInstanceOf(IOException.class);
    }
  }

  @Test
  void closeEndsAReadThatWaits() throws Exception {
    Duplex near = open();
    try (SocketChannel far = service.accept()) {
      CompletableFuture<Integer> read = Bytes.async(() -> near.read(ByteBuffer.allocate(1)));
      near.reset();
      assertThatThrownBy(read::join).hasCauseInstanceOf(IOException.class);
      assertThat(far.read(ByteBuffer.allocate(1))).isEqualTo(-1);
    }
  }

  @Test
  void refusesWhatNobodyListensOn() {
    Endpoint nowhere = new Endpoint.UnixPath(directory.resolve("nowhere").toString());
    assertThatThrownBy(() -> SshChannels.open(client.session(), nowhere, SshSessions.BOUND))
        .isInstanceOfSatisfying(
            ChannelOpenFailedException.class,
            e -> assertThat(e.code()).isEqualTo(ChannelOpenFailedException.CONNECT_FAILED));
  }

  @Test
  void neverSendsAnAbstractNameToAStockServer() {
    assertThatThrownBy(() ->
            SshChannels.open(
                client.session(), new Endpoint.UnixAbstract("name"), SshSessions.BOUND))
        .hasMessageContaining("abstract");
    assertThat(client.session().isOpen()).isTrue();
  }

  @Test
  void reachesLoopbackPortsOfBothFamilies() throws Exception {
    for (String literal : List.of("127.0.0.1", "::1")) {
      InetAddress loopback = InetAddress.ofLiteral(literal);
      try (ServerSocketChannel server = ServerSocketChannel.open()) {
        server.bind(new InetSocketAddress(loopback, 0));
        int port = ((InetSocketAddress) server.getLocalAddress()).getPort();
        try (Duplex near =
                SshChannels.open(
                    client.session(), new Endpoint.Ip(loopback, port), SshSessions.BOUND);
            SocketChannel far = server.accept()) {
          Bytes.write(near, literal);
          assertThat(Bytes.text(far, literal.length())).isEqualTo(literal);
        }
      }
    }
  }

  @Test
  void reachesNothingBeyondTheServer() {
    for (Endpoint beyond :
        List.of(
            new Endpoint.Ip(InetAddress.ofLiteral("192.0.2.1"), 80),
            new Endpoint.Ip(InetAddress.ofLiteral("0.0.0.0"), 80),
            new Endpoint.Ip(InetAddress.ofLiteral("127.0.0.1"), 0),
            new Endpoint.UnixPath("/tmp/a\0b"),
            new Endpoint.UnixPath(""),
            new Endpoint.UnixPath("/" + "x".repeat(200)))) {
      assertThatThrownBy(() -> SshChannels.open(client.session(), beyond, SshSessions.BOUND))
          .isInstanceOf(IOException.class)
          .isNotInstanceOf(ChannelOpenFailedException.class);
    }
    assertThat(client.session().isOpen()).isTrue();
  }

  @Test
  void aSlowReaderStallsOnlyItself() throws Exception {
    try (Duplex slow = open();
        SocketChannel slowFar = service.accept();
        Duplex quick = open();
        SocketChannel quickFar = service.accept()) {
      CompletableFuture<Long> flood = Bytes.async(() -> Bytes.send(slowFar, 4, 24 * MIB));
      CompletableFuture<Long> sent =
          Bytes.async(() -> {
            long sum = Bytes.send(quickFar, 5, 24 * MIB);
            quickFar.shutdownOutput();
            return sum;
          });
      assertThat(Bytes.drain(quick)).isEqualTo(new Bytes.Received(24 * MIB, sent.join()));
      assertThat(flood).isNotDone();
      CompletableFuture<Bytes.Received> late = Bytes.async(() -> Bytes.drain(slow));
      long sum = flood.join();
      slowFar.shutdownOutput();
      assertThat(late.join()).isEqualTo(new Bytes.Received(24 * MIB, sum));
    }
  }

  @Test
  void aWriterWaitsForAReaderAndIsReleasedByIt() throws Exception {
    try (Duplex near = open();
        SocketChannel far = service.accept()) {
      CompletableFuture<Long> up =
          Bytes.async(() -> {
            long sum = Bytes.send(near, 6, 24 * MIB);
            near.shutdownOutput();
            return sum;
          });
      // Another channel gets through, and sshd's window for this one has long been used up then.
      try (Duplex other = open();
          SocketChannel otherFar = service.accept()) {
        CompletableFuture<Bytes.Received> received = Bytes.async(() -> Bytes.drain(otherFar));
        Bytes.send(other, 7, 8 * MIB);
        other.shutdownOutput();
        assertThat(received.join().count()).isEqualTo(8 * MIB);
      }
      assertThat(up).isNotDone();
      assertThat(Bytes.drain(far)).isEqualTo(new Bytes.Received(24 * MIB, up.join()));
    }
  }

  @Test
  void aHundredChannelsAtOnce() throws Exception {
    List<CompletableFuture<Void>> all = new ArrayList<>();
    for (int i = 0; i < 100; i++) {
      int seed = i;
      all.add(
          Bytes.async(() -> {
            try (Duplex near = open()) {
              long sum = Bytes.send(near, seed, 256 << 10);
              near.shutdownOutput();
              assertThat(Bytes.drain(near)).isEqualTo(new Bytes.Received(256 << 10, sum));
            }
            return null;
          }));
      all.add(
          Bytes.async(() -> {
            try (SocketChannel far = service.accept()) {
              echo(far);
            }
            return null;
          }));
    }
    CompletableFuture.allOf(all.toArray(CompletableFuture[]::new)).join();
  }

  private static void echo(SocketChannel far) throws IOException {
    ByteBuffer buffer = ByteBuffer.allocate(64 << 10);
    while (far.read(buffer.clear()) >= 0) {
      buffer.flip();
      while (buffer.hasRemaining()) {
        far.write(buffer);
      }
    }
  }

  @Test
  void bothSidesFloodEachOtherAndNobodyReadsForAWhile() throws Exception {
    try (Duplex near = open();
        SocketChannel far = service.accept()) {
      CompletableFuture<Long> up = Bytes.async(() -> Bytes.send(near, 8, 32 * MIB));
      CompletableFuture<Long> down =
          Bytes.async(() -> {
            long sum = Bytes.send(far, 9, 32 * MIB);
            far.shutdownOutput();
            return sum;
          });
      // Another channel answers, so nothing of the session is blocked.
      try (Duplex other = open();
          SocketChannel otherFar = service.accept()) {
        Bytes.write(other, "ping");
        assertThat(Bytes.text(otherFar, 4)).isEqualTo("ping");
        Bytes.write(otherFar, "pong");
        assertThat(Bytes.text(other, 4)).isEqualTo("pong");
      }
      CompletableFuture<Bytes.Received> atFar = Bytes.async(() -> Bytes.drain(far));
      assertThat(Bytes.drain(near)).isEqualTo(new Bytes.Received(32 * MIB, down.join()));
      long sum = up.join();
      near.shutdownOutput();
      assertThat(atFar.join()).isEqualTo(new Bytes.Received(32 * MIB, sum));
    }
  }
}
