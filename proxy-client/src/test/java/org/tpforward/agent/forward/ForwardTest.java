package org.tpforward.agent.forward;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.tpforward.socket.Connection;
import org.tpforward.socket.Endpoint;
import org.tpforward.telepathy.AccessControl;
import org.tpforward.telepathy.AddressType;
import org.tpforward.telepathy.SocketKind;

/** A CM's socket on the desktop: who gets in, and where to. */
class ForwardTest {
  @TempDir Path directory;
  private ForwardFixture far;

  @BeforeEach
  void start() throws Exception {
    far = new ForwardFixture(directory, ForwardFixture.PATIENT);
    OtherUser.open(directory);
  }

  @AfterEach
  void stop() {
    far.close();
  }

  private void restart(Forwards.Settings settings) throws Exception {
    far.close();
    far = new ForwardFixture(directory, settings);
  }

  static Stream<SocketKind> kinds() {
    return SocketKind.ALL.stream();
  }

  private Forward bound(SocketKind kind) throws Exception {
    return far.boundTube(
        kind, kind.access() == AccessControl.PORT ? far.freePort(kind.type()) : null);
  }

  @ParameterizedTest
  @MethodSource("kinds")
  void bytesGoBothWaysAndEachEndsByItself(SocketKind kind) throws Exception {
    Forward tube = bound(kind);
    CompletableFuture<Connection> atCm = far.atCm();
    try (Connection client = ForwardFixture.connect(tube)) {
      Sockets.write(client, "to the CM");
      client.shutdownOutput();
      try (Connection cm = atCm.get(30, TimeUnit.SECONDS)) {
        assertThat(Sockets.read(cm, 9)).as("the byte is no part of it").isEqualTo("to the CM");
        assertThat(Sockets.countToEnd(cm)).isZero();
        Sockets.write(cm, "and back");
        assertThat(Sockets.read(client, 8)).isEqualTo("and back");
      }
      assertThat(Sockets.countToEnd(client)).isZero();
    }
    Sockets.await(() -> far.forwards.openStreams() == 0);
    assertThat(tube.bytesToCm()).isEqualTo(9);
    assertThat(tube.bytesToClient()).isEqualTo(8);
    assertThat(far.forwards.bytesToCms()).isEqualTo(9);
    assertThat(far.forwards.bytesToClients()).isEqualTo(8);
    assertThat(far.forwards.openedStreams()).isEqualTo(1);
  }

  @ParameterizedTest
  @MethodSource("kinds")
  void anotherUserIsGoneBeforeAnythingIsReadOrOpened(SocketKind kind) throws Exception {
    Forward tube = bound(kind);
    assertThat(OtherUser.connectTo(tube.local())).isIn("closed after 0", "reset after 0");
    assertThat(far.link.opened()).isZero();
    assertThat(far.forwards.refusedConnections()).isEqualTo(1);
    assertThat(far.forwards.openStreams()).isZero();
    // And the rightful one gets in, while a stranger is refused beside it.
    CompletableFuture<Connection> atCm = far.atCm();
    try (Connection client = ForwardFixture.connect(tube);
        Connection cm = atCm.get(30, TimeUnit.SECONDS)) {
      assertThat(OtherUser.connectTo(tube.local())).isIn("closed after 0", "reset after 0");
      Sockets.write(client, "x");
      assertThat(Sockets.read(cm, 1)).isEqualTo("x");
    }
  }

  /** Under Port a test has one port to connect from, and so one connection, anyway. */
  static Stream<SocketKind> kindsWithoutPort() {
    return kinds().filter(kind -> kind.access() != AccessControl.PORT);
  }

  @ParameterizedTest
  @MethodSource("kindsWithoutPort")
  void aFileTakesAnotherUserForNobody(SocketKind kind) throws Exception {
    Forward file = far.file(kind, null);
    assertThat(OtherUser.connectTo(file.local())).isIn("closed after 0", "reset after 0");
    CompletableFuture<Connection> atCm = far.atCm();
    try (Connection client = ForwardFixture.connect(file);
        Connection cm = atCm.get(30, TimeUnit.SECONDS)) {
      Sockets.write(client, "x");
      assertThat(Sockets.read(cm, 1)).isEqualTo("x");
    }
  }

  @Test
  void underPortNoOtherPortGetsIn() throws Exception {
    for (AddressType type : List.of(AddressType.IPV4, AddressType.IPV6)) {
      Forward tube = bound(new SocketKind(type, AccessControl.PORT));
      try (Connection stranger = Connection.connect(tube.local())) {
        assertThatThrownBy(() -> Sockets.read(stranger, 1)).isInstanceOf(IOException.class);
      }
    }
    assertThat(far.link.opened()).isZero();
    assertThat(far.forwards.refusedConnections()).isEqualTo(2);
  }

  @Test
  void whoSendsNoByteGetsNoChannel() throws Exception {
    restart(
        new Forwards.Settings(
            ForwardFixture.SHORT,
            Sockets.PATIENCE,
            Sockets.PATIENCE,
            Sockets.PATIENCE,
            Sockets.PATIENCE,
            Sockets.PATIENCE,
            Sockets.PATIENCE,
            64));
    for (AddressType type : List.of(AddressType.UNIX, AddressType.ABSTRACT_UNIX)) {
      Forward tube = bound(new SocketKind(type, AccessControl.CREDENTIALS));
      try (Connection silent = Connection.connect(tube.local())) {
        assertThat(Sockets.countToEnd(silent)).isZero();
      }
      Sockets.await(() -> far.forwards.openStreams() == 0);
    }
    assertThat(far.link.opened()).isZero();
  }

  @Test
  void whoEndsWithoutItsByteGetsNoChannel() throws Exception {
    Forward tube = bound(new SocketKind(AddressType.UNIX, AccessControl.CREDENTIALS));
    try (Connection silent = Connection.connect(tube.local())) {
      silent.shutdownOutput();
      assertThat(Sockets.countToEnd(silent)).isZero();
    }
    Sockets.await(() -> far.forwards.openStreams() == 0);
    assertThat(far.link.opened()).isZero();
  }

  @Test
  void aTubeHasManyConnectionsWhichDoNotMix() throws Exception {
    Forward tube = bound(ForwardFixture.UNIX);
    List<Connection> clients = new ArrayList<>();
    for (int i = 0; i < 20; i++) {
      CompletableFuture<Connection> atCm = far.atCm();
      Connection client = ForwardFixture.connect(tube);
      clients.add(client);
      Connection cm = atCm.get(30, TimeUnit.SECONDS);
      clients.add(cm);
      Sockets.write(cm, "number " + (10 + i));
    }
    for (int i = 0; i < 20; i++) {
      assertThat(Sockets.read(clients.get(2 * i), 9)).isEqualTo("number " + (10 + i));
    }
    clients.forEach(Connection::close);
    Sockets.await(() -> far.forwards.openStreams() == 0);
  }

  @Test
  void moreThanTheMostStreamsAreRefusedAndLaterOnesTaken() throws Exception {
    restart(
        new Forwards.Settings(
            Sockets.PATIENCE,
            Sockets.PATIENCE,
            Sockets.PATIENCE,
            Sockets.PATIENCE,
            Sockets.PATIENCE,
            Sockets.PATIENCE,
            Sockets.PATIENCE,
            1));
    Forward tube = bound(ForwardFixture.UNIX);
    CompletableFuture<Connection> atCm = far.atCm();
    try (Connection _ = ForwardFixture.connect(tube);
        Connection _ = atCm.get(30, TimeUnit.SECONDS)) {
      try (Connection second = ForwardFixture.connect(tube)) {
        assertThat(Sockets.countToEnd(second)).isZero();
      }
      assertThat(far.forwards.refusedConnections()).as("it was the rightful client").isZero();
    }
    Sockets.await(() -> far.forwards.openStreams() == 0);
    CompletableFuture<Connection> next = far.atCm();
    try (Connection _ = ForwardFixture.connect(tube)) {
      next.get(30, TimeUnit.SECONDS).close();
    }
  }

  @Test
  void aFileTakesOneConnectionAndThenNobodyListens() throws Exception {
    for (AddressType type : AddressType.values()) {
      Forward file = far.file(new SocketKind(type, AccessControl.LOCALHOST), null);
      CompletableFuture<Connection> atCm = far.atCm();
      try (Connection client = ForwardFixture.connect(file);
          Connection cm = atCm.get(30, TimeUnit.SECONDS)) {
        Sockets.await(() -> !file.isListening());
        assertThatThrownBy(() -> Connection.connect(file.local())).isInstanceOf(IOException.class);
        if (file.local() instanceof Endpoint.UnixPath(String path)) {
          assertThat(Path.of(path)).doesNotExist();
        }
        Sockets.write(client, "the file");
        client.shutdownOutput();
        assertThat(Sockets.read(cm, 8)).isEqualTo("the file");
        assertThat(Sockets.countToEnd(cm)).isZero();
      }
      Sockets.await(() -> far.forwards.list().isEmpty());
    }
  }

  @Test
  void aConnectionWaitsUntilTheCmHasSaidWhereItListens() throws Exception {
    Forward tube = far.tube(ForwardFixture.UNIX, null);
    CompletableFuture<Connection> atCm = far.atCm();
    try (Connection client = ForwardFixture.connect(tube)) {
      Sockets.write(client, "early");
      Sockets.await(() -> tube.openStreams() == 1);
      assertThat(far.link.opened()).isZero();
      tube.bind(far.cm.endpoint());
      try (Connection cm = atCm.get(30, TimeUnit.SECONDS)) {
        assertThat(Sockets.read(cm, 5)).isEqualTo("early");
      }
    }
  }

  @Test
  void aConnectionEndsWhereTheCmHasRefusedTheCall() throws Exception {
    Forward tube = far.tube(ForwardFixture.UNIX, null);
    try (Connection client = ForwardFixture.connect(tube)) {
      Sockets.await(() -> tube.openStreams() == 1);
      tube.close();
      assertThat(Sockets.countToEnd(client)).isZero();
    }
    Sockets.await(() -> far.forwards.list().isEmpty());
    assertThat(far.forwards.openStreams()).isZero();
  }

  @Test
  void aCmThatDoesNotListenEndsTheConnection() throws Exception {
    Forward tube = far.tube(ForwardFixture.UNIX, null);
    tube.bind(far.place(AddressType.UNIX));
    try (Connection client = ForwardFixture.connect(tube)) {
      assertThat(Sockets.countToEnd(client)).isZero();
    }
    Sockets.await(() -> far.forwards.openStreams() == 0);
    assertThat(tube.isListening()).as("a tube goes on").isTrue();
  }

  static Stream<ChannelEvent> ends() {
    return Stream.of(
        new ChannelEvent.Closed(ForwardFixture.CHANNEL),
        new ChannelEvent.OwnerGone(ForwardFixture.CHANNEL.owner()),
        new ChannelEvent.TubeClosed(ForwardFixture.CHANNEL, Forward.NO_ID));
  }

  @ParameterizedTest
  @MethodSource("ends")
  void theListenerGoesWithItsChannelAndWhatIsOnItsWayStillArrives(ChannelEvent end)
      throws Exception {
    Forward tube = bound(ForwardFixture.UNIX);
    CompletableFuture<Connection> atCm = far.atCm();
    try (Connection client = ForwardFixture.connect(tube);
        Connection cm = atCm.get(30, TimeUnit.SECONDS)) {
      far.forwards.happened(end);
      assertThatThrownBy(() -> Connection.connect(tube.local())).isInstanceOf(IOException.class);
      assertThat(Files.exists(Path.of(tube.local().toString().substring("unix:".length()))))
          .isFalse();
      CompletableFuture<Long> sent =
          Sockets.start(() -> {
            for (int i = 0; i < 64; i++) {
              cm.write(ByteBuffer.allocate(64 << 10));
            }
            cm.shutdownOutput();
            return 64L << 16;
          });
      assertThat(Sockets.countToEnd(client)).isEqualTo(4L << 20);
      assertThat(sent.get(30, TimeUnit.SECONDS)).isEqualTo(4L << 20);
    }
    Sockets.await(() -> far.forwards.list().isEmpty());
  }

  @Test
  void otherChannelsTubesAndOwnersGoOn() throws Exception {
    Forward tube = bound(ForwardFixture.UNIX);
    far.forwards.happened(new ChannelEvent.Closed(new ChannelKey(":1.5", "/other")));
    far.forwards.happened(new ChannelEvent.Closed(new ChannelKey(":1.6", tubePath())));
    far.forwards.happened(new ChannelEvent.OwnerGone(":1.6"));
    far.forwards.happened(new ChannelEvent.TubeClosed(ForwardFixture.CHANNEL, 5));
    assertThat(tube.isListening()).isTrue();
    assertThat(far.forwards.list()).containsExactly(tube);
  }

  private static String tubePath() {
    return ForwardFixture.CHANNEL.path();
  }

  @Test
  void closedOvertakesAMegabyteEachWay() throws Exception {
    Forward tube = far.boundTube(ForwardFixture.UNIX, null);
    CompletableFuture<Connection> atCm = far.atCm();
    try (Connection client = ForwardFixture.connect(tube)) {
      Connection cm = atCm.get(30, TimeUnit.SECONDS);
      CompletableFuture<Void> up = Sockets.start(() -> megabyte(client));
      CompletableFuture<Void> down = Sockets.start(() -> megabyte(cm));
      // Neither end has read anything yet.
      far.forwards.happened(new ChannelEvent.Closed(ForwardFixture.CHANNEL));
      Sockets.await(() -> Sockets.isRefused(tube.local()));
      CompletableFuture<Long> received = Sockets.start(() -> Sockets.countToEnd(client));
      assertThat(Sockets.countToEnd(cm)).isEqualTo(1 << 20);
      assertThat(received.get(30, TimeUnit.SECONDS)).isEqualTo(1 << 20);
      up.get(30, TimeUnit.SECONDS);
      down.get(30, TimeUnit.SECONDS);
    }
    Sockets.await(() -> far.forwards.list().isEmpty());
  }

  private static @Nullable Void megabyte(Connection to) throws IOException {
    to.write(ByteBuffer.allocate(1 << 20));
    to.shutdownOutput();
    return null;
  }

  @Test
  void aStreamOfAClosedChannelThatStandsStillIsEnded() throws Exception {
    restart(
        new Forwards.Settings(
            Sockets.PATIENCE,
            Sockets.PATIENCE,
            Sockets.PATIENCE,
            ForwardFixture.SHORT,
            Sockets.PATIENCE,
            Sockets.PATIENCE,
            Sockets.PATIENCE,
            64));
    Forward tube = bound(ForwardFixture.UNIX);
    CompletableFuture<Connection> atCm = far.atCm();
    try (Connection client = ForwardFixture.connect(tube);
        Connection cm = atCm.get(30, TimeUnit.SECONDS)) {
      far.forwards.happened(new ChannelEvent.Closed(ForwardFixture.CHANNEL));
      assertThat(Sockets.countToEnd(client)).isZero();
      assertThat(Sockets.countToEnd(cm)).isZero();
    }
    Sockets.await(() -> far.forwards.list().isEmpty());
  }

  @Test
  void nothingIsLeftWhenTheAgentEnds() throws Exception {
    Forward bound = bound(ForwardFixture.UNIX);
    Forward waiting = far.tube(new SocketKind(AddressType.IPV4, AccessControl.LOCALHOST), null);
    CompletableFuture<Connection> atCm = far.atCm();
    try (Connection client = ForwardFixture.connect(bound);
        Connection cm = atCm.get(30, TimeUnit.SECONDS);
        Connection early = ForwardFixture.connect(waiting)) {
      Sockets.await(() -> far.forwards.openStreams() == 2);
      far.forwards.close();
      assertThat(Sockets.countToEnd(client)).isZero();
      assertThat(Sockets.countToEnd(cm)).isZero();
      assertThatThrownBy(() -> Sockets.countToEnd(early)).isInstanceOf(IOException.class);
    }
    Sockets.await(() -> far.forwards.list().isEmpty() && far.forwards.openStreams() == 0);
    assertThatThrownBy(() -> far.tube(ForwardFixture.UNIX, null)).hasMessageContaining("ends");
    assertThat(far.forwards.list()).isEmpty();
  }

  @Test
  void aHundredShortConnectionsLeaveNothing() throws Exception {
    Forward tube = bound(ForwardFixture.UNIX);
    CompletableFuture<Void> cm =
        Sockets.start(() -> {
          for (int i = 0; i < 100; i++) {
            try (Connection connection = far.cm.accept()) {
              Sockets.write(connection, Sockets.read(connection, 3));
            }
          }
          return null;
        });
    for (int i = 0; i < 100; i++) {
      try (Connection client = ForwardFixture.connect(tube)) {
        Sockets.write(client, Integer.toString(100 + i));
        assertThat(Sockets.read(client, 3)).isEqualTo(Integer.toString(100 + i));
      }
    }
    cm.get(30, TimeUnit.SECONDS);
    Sockets.await(() -> far.forwards.openStreams() == 0);
    assertThat(tube.bytesToClient()).as("of each, however short").isEqualTo(300);
    assertThat(tube.bytesToCm()).isEqualTo(300);
  }
}
