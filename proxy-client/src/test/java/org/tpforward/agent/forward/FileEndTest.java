package org.tpforward.agent.forward;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.net.StandardSocketOptions;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.function.Consumer;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.tpforward.socket.Connection;
import org.tpforward.socket.Listener;
import org.tpforward.telepathy.AccessControl;
import org.tpforward.telepathy.AddressType;
import org.tpforward.telepathy.SocketKind;

/** How the stream of a file ends: a part must not look like the whole. */
class FileEndTest {
  private static final SocketKind TCP = new SocketKind(AddressType.IPV4, AccessControl.LOCALHOST);

  @TempDir Path directory;
  private ForwardFixture far;
  private final CountDownLatch asked = new CountDownLatch(1);

  @BeforeEach
  void start() throws Exception {
    far = new ForwardFixture(directory, ForwardFixture.PATIENT);
  }

  @AfterEach
  void stop() {
    far.close();
  }

  /** The pump asks for the offset once it has met an end, so a test can wait for that. */
  private TransferState state(long size) {
    return new TransferState(
        size,
        () -> {
          asked.countDown();
          return 0;
        },
        ForwardFixture.CLIENT);
  }

  private void restartWithShortTold() throws Exception {
    far.close();
    far =
        new ForwardFixture(
            directory,
            new Forwards.Settings(
                Sockets.PATIENCE,
                Sockets.PATIENCE,
                ForwardFixture.SHORT,
                Sockets.PATIENCE,
                Sockets.PATIENCE,
                Sockets.PATIENCE,
                Sockets.PATIENCE,
                64));
  }

  /** How a reader is told, by what comes over its bus connection or by that connection's end. */
  static Stream<Consumer<Forwards>> tellings() {
    return Stream.of(
        f -> f.delivered(new ChannelEvent.Closed(ForwardFixture.CHANNEL), ForwardFixture.CLIENT),
        f -> f.delivered(new ChannelEvent.Cancelled(ForwardFixture.CHANNEL), ForwardFixture.CLIENT),
        f ->
            f.delivered(
                new ChannelEvent.OwnerGone(ForwardFixture.CHANNEL.owner()), ForwardFixture.CLIENT),
        f -> f.clientGone(ForwardFixture.CLIENT),
        Forwards::busLost);
  }

  @ParameterizedTest
  @MethodSource("tellings")
  void aReaderOfAPartSeesTheEndOnlyAfterItHasBeenTold(Consumer<Forwards> telling) throws Exception {
    Forward file = far.file(ForwardFixture.UNIX, state(100));
    CompletableFuture<Connection> atCm = far.atCm();
    try (Connection reader = ForwardFixture.connect(file)) {
      Connection cm = atCm.get(30, TimeUnit.SECONDS);
      Sockets.write(cm, "a part");
      cm.close();
      assertThat(Sockets.read(reader, 6)).isEqualTo("a part");
      CompletableFuture<Long> end = Sockets.start(() -> Sockets.countToEnd(reader));
      asked.await();
      // What tells others, or of other channels, does not count.
      far.forwards.delivered(new ChannelEvent.Closed(ForwardFixture.CHANNEL), 99);
      far.forwards.delivered(
          new ChannelEvent.Closed(new ChannelKey(":1.5", "/other")), ForwardFixture.CLIENT);
      far.forwards.clientGone(99);
      assertThatThrownBy(() -> end.get(100, TimeUnit.MILLISECONDS))
          .isInstanceOf(TimeoutException.class);
      telling.accept(far.forwards);
      assertThat(end.get(30, TimeUnit.SECONDS)).isZero();
    }
    Sockets.await(() -> far.forwards.openStreams() == 0);
  }

  @Test
  void aReaderOverTcpSeesAReset() throws Exception {
    Forward file = far.file(TCP, state(100));
    CompletableFuture<Connection> atCm = far.atCm();
    try (Connection reader = ForwardFixture.connect(file)) {
      Connection cm = atCm.get(30, TimeUnit.SECONDS);
      Sockets.write(cm, "a part");
      cm.close();
      assertThat(Sockets.read(reader, 6)).isEqualTo("a part");
      CompletableFuture<Long> end = Sockets.start(() -> Sockets.countToEnd(reader));
      asked.await();
      far.forwards.delivered(
          new ChannelEvent.Cancelled(ForwardFixture.CHANNEL), ForwardFixture.CLIENT);
      assertThatThrownBy(() -> end.get(30, TimeUnit.SECONDS))
          .isInstanceOf(ExecutionException.class)
          .hasCauseInstanceOf(IOException.class);
    }
  }

  @Test
  void aStreamThatBreaksIsHeldJustTheSame() throws Exception {
    restartWithShortTold(); // No time may pass for telling.
    try (Listener tcp = Listener.open(Sockets.anyPort(AddressType.IPV4))) {
      TransferState state = state(100);
      Forward file = far.file(ForwardFixture.UNIX, state);
      file.bind(tcp.endpoint());
      CompletableFuture<Connection> atCm = Sockets.start(tcp::accept);
      try (Connection reader = ForwardFixture.connect(file)) {
        Connection cm = atCm.get(30, TimeUnit.SECONDS);
        Sockets.write(cm, "a part");
        assertThat(Sockets.read(reader, 6)).isEqualTo("a part");
        CompletableFuture<Long> end = Sockets.start(() -> Sockets.countToEnd(reader));
        cm.channel().setOption(StandardSocketOptions.SO_LINGER, 0);
        cm.close();
        assertThatThrownBy(() -> end.get(300, TimeUnit.MILLISECONDS))
            .isInstanceOf(TimeoutException.class);
        far.forwards.delivered(
            new ChannelEvent.Closed(ForwardFixture.CHANNEL), ForwardFixture.CLIENT);
        assertThat(end.get(30, TimeUnit.SECONDS)).isZero();
      }
    }
  }

  @Test
  void aReaderThatDoesNotListenIsTakenForToldSoonAfterTheEnd() throws Exception {
    restartWithShortTold();
    Forward file = far.file(ForwardFixture.UNIX, state(100));
    CompletableFuture<Connection> atCm = far.atCm();
    try (Connection reader = ForwardFixture.connect(file)) {
      atCm.get(30, TimeUnit.SECONDS).close();
      CompletableFuture<Long> end = Sockets.start(() -> Sockets.countToEnd(reader));
      asked.await();
      assertThat(end).isNotDone();
      far.forwards.happened(new ChannelEvent.Closed(ForwardFixture.CHANNEL));
      assertThat(end.get(30, TimeUnit.SECONDS)).isZero();
    }
  }

  @Test
  void theWholeOfItEndsAtOnce() throws Exception {
    Forward file = far.file(ForwardFixture.UNIX, state(6));
    CompletableFuture<Connection> atCm = far.atCm();
    try (Connection reader = ForwardFixture.connect(file)) {
      Connection cm = atCm.get(30, TimeUnit.SECONDS);
      Sockets.write(cm, "all of");
      cm.close();
      assertThat(Sockets.countToEnd(reader)).isEqualTo(6);
    }
  }

  @Test
  void theOffsetAndTheCompletionAreLearntFromTheBus() throws Exception {
    Forward resumed = far.file(ForwardFixture.UNIX, state(100));
    far.forwards.happened(new ChannelEvent.OffsetDefined(ForwardFixture.CHANNEL, 94));
    CompletableFuture<Connection> atCm = far.atCm();
    try (Connection reader = ForwardFixture.connect(resumed)) {
      Connection cm = atCm.get(30, TimeUnit.SECONDS);
      Sockets.write(cm, "the rest".substring(0, 6));
      cm.close();
      assertThat(Sockets.countToEnd(reader)).isEqualTo(6);
    }
    Forward unknown = far.file(ForwardFixture.UNIX, state(TransferState.UNKNOWN_SIZE));
    CompletableFuture<Connection> again = far.atCm();
    try (Connection reader = ForwardFixture.connect(unknown)) {
      Connection cm = again.get(30, TimeUnit.SECONDS);
      Sockets.write(cm, "who knows");
      cm.close();
      assertThat(Sockets.read(reader, 9)).isEqualTo("who knows");
      CompletableFuture<Long> end = Sockets.start(() -> Sockets.countToEnd(reader));
      assertThatThrownBy(() -> end.get(100, TimeUnit.MILLISECONDS))
          .isInstanceOf(TimeoutException.class);
      far.forwards.happened(new ChannelEvent.Completed(ForwardFixture.CHANNEL));
      assertThat(end.get(30, TimeUnit.SECONDS)).isZero();
    }
  }

  @Test
  void completedAndClosedOvertakeTheData() throws Exception {
    Forward file = far.file(ForwardFixture.UNIX, state(1 << 20));
    CompletableFuture<Connection> atCm = far.atCm();
    try (Connection reader = ForwardFixture.connect(file)) {
      Connection cm = atCm.get(30, TimeUnit.SECONDS);
      far.forwards.happened(new ChannelEvent.Completed(ForwardFixture.CHANNEL));
      far.forwards.happened(new ChannelEvent.Closed(ForwardFixture.CHANNEL));
      far.forwards.delivered(
          new ChannelEvent.Closed(ForwardFixture.CHANNEL), ForwardFixture.CLIENT);
      CompletableFuture<Void> sending =
          Sockets.start(() -> {
            cm.write(ByteBuffer.allocate(1 << 20));
            cm.close();
            return null;
          });
      assertThat(Sockets.countToEnd(reader)).isEqualTo(1 << 20);
      sending.get(30, TimeUnit.SECONDS);
    }
  }

  @Test
  void aReaderThatLeavesEndsTheTransferAtTheCm() throws Exception {
    Forward file = far.file(ForwardFixture.UNIX, state(100));
    CompletableFuture<Connection> atCm = far.atCm();
    Connection reader = ForwardFixture.connect(file);
    Connection cm = atCm.get(30, TimeUnit.SECONDS);
    Sockets.write(cm, "x");
    assertThat(Sockets.read(reader, 1)).isEqualTo("x");
    reader.close();
    assertThatThrownBy(
            () -> {
              while (true) {
                cm.write(ByteBuffer.allocate(4096));
              }
            })
        .isInstanceOf(IOException.class);
    cm.close();
    Sockets.await(() -> far.forwards.openStreams() == 0);
  }

  @ParameterizedTest
  @MethodSource("localKinds")
  void aReaderThatLeavesWhileTheEndIsHeldBackIsNotWaitedFor(SocketKind kind) throws Exception {
    Forward file = far.file(kind, state(100));
    CompletableFuture<Connection> atCm = far.atCm();
    try (Connection reader = ForwardFixture.connect(file)) {
      Connection cm = atCm.get(30, TimeUnit.SECONDS);
      Sockets.write(cm, "a part");
      cm.close();
      assertThat(Sockets.read(reader, 6)).isEqualTo("a part");
      asked.await(); // The end has been met and is held.
      assertThat(far.forwards.openStreams()).isEqualTo(1);
    }
    // Its channel is open still, and nobody says anything.
    Sockets.await(() -> far.forwards.openStreams() == 0);
  }

  @ParameterizedTest
  @MethodSource("unixKinds")
  void aReaderThatHasOnlyEndedItsOwnDirectionIsWaitedFor(SocketKind kind) throws Exception {
    Forward file = far.file(kind, state(100));
    CompletableFuture<Connection> atCm = far.atCm();
    try (Connection reader = ForwardFixture.connect(file)) {
      reader.shutdownOutput();
      Connection cm = atCm.get(30, TimeUnit.SECONDS);
      assertThat(Sockets.countToEnd(cm)).isZero();
      Sockets.write(cm, "a part");
      cm.close();
      assertThat(Sockets.read(reader, 6)).isEqualTo("a part");
      CompletableFuture<Long> end = Sockets.start(() -> Sockets.countToEnd(reader));
      asked.await();
      // Longer than the agent takes to look after it.
      assertThatThrownBy(() -> end.get(1500, TimeUnit.MILLISECONDS))
          .isInstanceOf(TimeoutException.class);
      far.forwards.happened(new ChannelEvent.Completed(ForwardFixture.CHANNEL));
      assertThat(end.get(30, TimeUnit.SECONDS)).isZero();
    }
  }

  static Stream<SocketKind> unixKinds() {
    return localKinds().filter(kind -> !kind.type().isIp());
  }

  @ParameterizedTest
  @MethodSource("localKinds")
  void aWriterNoticesThatNobodyTakesItsFile(SocketKind kind) throws Exception {
    Forward file = far.file(kind, null);
    CompletableFuture<Connection> atCm = far.atCm();
    try (Connection writer = ForwardFixture.connect(file)) {
      Connection cm = atCm.get(30, TimeUnit.SECONDS);
      Sockets.write(writer, "the beginning");
      assertThat(Sockets.read(cm, 13)).isEqualTo("the beginning");
      cm.close();
      assertThatThrownBy(
              () -> {
                while (true) {
                  writer.write(ByteBuffer.allocate(4096));
                }
              })
          .isInstanceOf(IOException.class);
    }
    Sockets.await(() -> far.forwards.openStreams() == 0);
  }

  static Stream<SocketKind> localKinds() {
    return Stream.of(AddressType.values())
        .map(type -> new SocketKind(type, AccessControl.LOCALHOST));
  }
}
