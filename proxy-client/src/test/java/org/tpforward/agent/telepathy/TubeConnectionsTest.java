package org.tpforward.agent.telepathy;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIOException;

import java.io.IOException;
import java.net.InetAddress;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.tpforward.socket.AllowedUids;
import org.tpforward.socket.Connection;
import org.tpforward.socket.Endpoint;
import org.tpforward.socket.Listener;
import org.tpforward.telepathy.AccessControl;
import org.tpforward.telepathy.AddressType;
import org.tpforward.telepathy.SocketAbilities;
import org.tpforward.telepathy.SocketKind;

final class TubeConnectionsTest {
  private static final Endpoint ANY_PORT = new Endpoint.Ip(InetAddress.getLoopbackAddress(), 0);

  @TempDir Path directory;

  private final Events events = new Events();
  private final List<AutoCloseable> open = new ArrayList<>();
  private Listener near;
  private Listener service;
  private volatile @Nullable String loss;

  @BeforeEach
  void listen() throws IOException {
    near = Listener.open(new Endpoint.UnixPath(directory.resolve("near").toString()));
    service = Listener.open(ANY_PORT);
  }

  @AfterEach
  void close() throws Exception {
    for (AutoCloseable each : open) {
      each.close();
    }
    near.close();
    service.close();
  }

  private TubeConnections start(TubeConnections.Gate gate, TubeConnections.Side tube) {
    Endpoint where = service.endpoint();
    TubeConnections connections =
        new TubeConnections(
            near, gate, number -> Connection.connect(where), () -> loss, tube, events);
    connections.start();
    return connections;
  }

  private Connection client() throws IOException {
    Connection client = Connection.connect(near.endpoint());
    open.add(client);
    return client;
  }

  private Connection accepted() throws IOException {
    Connection accepted = service.accept();
    open.add(accepted);
    return accepted;
  }

  private static TubeConnections.Gate own() {
    return TubeConnections.Gate.only(AllowedUids.own());
  }

  @Test
  void unixBecomesTcpAndEachDirectionEndsByItself() throws Exception {
    TubeConnections connections = start(own(), TubeConnections.Side.NEAR);
    Connection client = client();
    Connection served = accepted();
    assertThat(events.next()).isEqualTo("connected 1");
    write(client, "question");
    client.shutdownOutput();
    assertThat(readAll(served)).isEqualTo("question");
    write(served, "the answer");
    served.shutdownOutput();
    assertThat(readAll(client)).isEqualTo("the answer");
    assertThat(events.next()).isEqualTo("ended 1 received 8 sent 10 null");
    connections.abort("over");
    assertThat(directory).isEmptyDirectory();
  }

  @Test
  void whereThisEndHasAcceptedTheClientSends() throws Exception {
    TubeConnections connections = start(own(), TubeConnections.Side.FAR);
    Connection client = client();
    Connection served = accepted();
    write(client, "12345");
    client.shutdownOutput();
    assertThat(readAll(served)).isEqualTo("12345");
    served.shutdownOutput();
    assertThat(events.next()).isEqualTo("connected 1");
    assertThat(events.next()).isEqualTo("ended 1 received 0 sent 5 null");
    connections.abort("over");
  }

  @Test
  void anEndThatTheBusDoesNotOutliveIsAReset() throws Exception {
    start(own(), TubeConnections.Side.NEAR);
    Connection tube = client();
    Connection served = accepted();
    assertThat(events.next()).isEqualTo("connected 1");
    write(tube, "half of it");
    assertThat(served.read(ByteBuffer.allocate(100))).isEqualTo(10);
    loss = "the bus is lost";
    tube.close();
    assertThatIOException().isThrownBy(() -> served.read(ByteBuffer.allocate(1)));
    assertThat(events.next()).isEqualTo("ended 1 received 10 sent 0 the bus is lost");
    assertThat(near.isOpen()).isFalse();
  }

  @Test
  void theEndOfTheLegacySideNeedsNoBus() throws Exception {
    TubeConnections connections = start(own(), TubeConnections.Side.FAR);
    Connection client = client();
    Connection tube = accepted();
    loss = "the bus is lost";
    write(client, "question");
    client.shutdownOutput();
    assertThat(readAll(tube)).isEqualTo("question");
    connections.abort("over");
  }

  @Test
  void aServiceThatIsNotThereIsALineForEachConnectionAndNotTheEnd() throws Exception {
    Endpoint where = service.endpoint();
    service.close();
    TubeConnections connections = start(own(), TubeConnections.Side.NEAR);
    for (int number = 1; number <= 2; number++) {
      assertThat(readAll(client())).isEmpty();
      assertThat(events.next())
          .startsWith("refused connection " + number + " did not get through: ");
    }
    service = Listener.open(where);
    client();
    accepted();
    assertThat(events.next()).isEqualTo("connected 3");
    connections.abort("over");
    assertThat(events.next()).endsWith(" over");
  }

  @Test
  void whoIsNotAllowedIsToldOfOnceHoweverOftenHeTries() throws Exception {
    TubeConnections connections =
        start(
            TubeConnections.Gate.only(new AllowedUids(java.util.Set.of(4_000_000_000L))),
            TubeConnections.Side.FAR);
    for (int i = 0; i < 3; i++) {
      assertThat(readAll(client())).isEmpty();
    }
    assertThat(events.next()).startsWith("refused a connection of uid ").endsWith(" was refused");
    connections.abort("over");
    connections.awaitAborted();
    assertThat(events.queue).isEmpty();
  }

  @Test
  void atTheEndWhatIsUnderWayStillArrives() throws Exception {
    TubeConnections connections = start(own(), TubeConnections.Side.NEAR);
    Connection client = client();
    Connection served = accepted();
    assertThat(events.next()).isEqualTo("connected 1");
    CountDownLatch drained = new CountDownLatch(1);
    Thread draining =
        Thread.ofPlatform()
            .start(() -> {
              try {
                connections.drain("the tube was closed");
                drained.countDown();
              } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
              }
            });
    while (near.isOpen()) {
      Thread.onSpinWait();
    }
    byte[] megabyte = new byte[1 << 20];
    Thread writing =
        Thread.ofPlatform()
            .start(() -> {
              try {
                client.write(ByteBuffer.wrap(megabyte));
                client.shutdownOutput();
              } catch (IOException e) {
                // Seen by what arrives.
              }
            });
    assertThat(readAll(served)).hasSize(megabyte.length);
    served.shutdownOutput();
    assertThat(events.next()).isEqualTo("ended 1 received 1048576 sent 0 null");
    draining.join();
    writing.join();
    assertThat(drained.getCount()).isZero();
  }

  @Test
  void whatStandsStillAtTheEndIsBrokenOff() throws Exception {
    TubeConnections connections = start(own(), TubeConnections.Side.NEAR);
    client();
    accepted();
    assertThat(events.next()).isEqualTo("connected 1");
    connections.drain("the tube was closed");
    assertThat(events.next()).isEqualTo("ended 1 received 0 sent 0 the tube was closed");
  }

  @Test
  void everyConnectionIsCountedWhereManyComeAtOnce() throws Exception {
    TubeConnections connections = start(own(), TubeConnections.Side.NEAR);
    int many = 100;
    for (int i = 0; i < many; i++) {
      client();
    }
    for (int i = 0; i < many; i++) {
      accepted().close();
    }
    open.forEach(TubeConnectionsTest::closeQuietly);
    long ended = 0;
    for (int i = 0; i < 2 * many; i++) {
      ended += events.next().startsWith("ended") ? 1 : 0;
    }
    assertThat(ended).isEqualTo(many);
    connections.drain("over");
  }

  @Test
  void anOfferIsMadeWithTheCheapestSafeSocketThatTheManagerTakes() {
    assertThat(TubeListener.kinds(SocketAbilities.ALL).getFirst())
        .isEqualTo(new SocketKind(AddressType.UNIX, AccessControl.LOCALHOST));
    assertThat(TubeListener.kinds(SocketAbilities.ALL)).containsAll(SocketKind.ALL).hasSize(8);
    assertThat(TubeListener.kinds(SocketAbilities.NONE)).isEmpty();
  }

  @Test
  void theSocketsOfAnOfferLeaveNothing() throws Exception {
    Path runtime = java.nio.file.Files.createDirectory(directory.resolve("run"));
    for (SocketKind kind : SocketKind.ALL) {
      try (TubeListener listener = TubeListener.open(kind, runtime)) {
        Connection.connect(listener.listener().endpoint()).close();
      }
      assertThat(runtime).isEmptyDirectory();
    }
  }

  private static void closeQuietly(AutoCloseable each) {
    try {
      each.close();
    } catch (Exception e) {
      throw new AssertionError(e);
    }
  }

  private static void write(Connection to, String text) throws IOException {
    to.write(ByteBuffer.wrap(text.getBytes(UTF_8)));
  }

  private static String readAll(Connection from) {
    StringBuilder text = new StringBuilder();
    ByteBuffer buffer = ByteBuffer.allocate(8192);
    try {
      while (from.read(buffer.clear()) >= 0) {
        text.append(new String(buffer.array(), 0, buffer.position(), UTF_8));
      }
    } catch (IOException e) {
      // A reset: what came so far is what came.
    }
    return text.toString();
  }

  /** What was told, in order. */
  private static final class Events implements TubeReport {
    final BlockingQueue<String> queue = new LinkedBlockingQueue<>();

    String next() throws InterruptedException {
      String next = queue.poll(60, TimeUnit.SECONDS);
      return next == null ? "nothing" : next;
    }

    @Override
    public void waiting(String line) {
      queue.add("waiting");
    }

    @Override
    public void open(Tube tube) {
      queue.add("open " + tube.service() + Map.copyOf(tube.parameters()));
    }

    @Override
    public void connected(int number) {
      queue.add("connected " + number);
    }

    @Override
    public void ended(int number, long received, long sent, @Nullable String reason) {
      queue.add("ended " + number + " received " + received + " sent " + sent + " " + reason);
    }

    @Override
    public void refused(String line) {
      queue.add("refused " + line);
    }

    @Override
    public void closed(Tube tube, String line) {
      queue.add("closed " + line);
    }
  }
}
