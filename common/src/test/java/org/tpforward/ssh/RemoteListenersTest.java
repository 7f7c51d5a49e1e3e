package org.tpforward.ssh;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.UnixDomainSocketAddress;
import java.nio.ByteBuffer;
import java.nio.channels.SocketChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.EnumSet;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.LinkedBlockingQueue;
import org.apache.sshd.client.session.ClientSession.ClientSessionEvent;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.tpforward.relay.Duplex;
import org.tpforward.socket.Endpoint;

/** Sockets that a stock sshd listens on for this side. */
@Timeout(60)
class RemoteListenersTest {
  @TempDir static Path directory;
  private static Sshd sshd;
  private static SshSessions client;
  private static int number;
  private final BlockingQueue<Incoming> incoming = new LinkedBlockingQueue<>();
  private Path path;

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
  void name() {
    path = directory.resolve("listener" + number++);
  }

  private RemoteListener listen(Endpoint at) throws IOException {
    return RemoteListeners.listen(client.session(), at, SshSessions.BOUND, incoming::add);
  }

  private SocketChannel connect() throws IOException {
    return SocketChannel.open(UnixDomainSocketAddress.of(path));
  }

  @Test
  void carriesAConnectionToAUnixSocketBothWays() throws Exception {
    try (RemoteListener listener = listen(new Endpoint.UnixPath(path.toString()));
        SocketChannel far = connect();
        Duplex near = incoming.take().accept()) {
      assertThat(listener.endpoint()).isEqualTo(new Endpoint.UnixPath(path.toString()));
      Bytes.write(far, "question");
      far.shutdownOutput();
      assertThat(Bytes.text(near, 8)).isEqualTo("question");
      assertThat(near.read(ByteBuffer.allocate(1))).isEqualTo(-1);
      Bytes.write(near, "answer");
      near.shutdownOutput();
      assertThat(Bytes.text(far, 6)).isEqualTo("answer");
      assertThat(far.read(ByteBuffer.allocate(1))).isEqualTo(-1);
    }
  }

  @Test
  void holdsAConnectionUnansweredAndThenDeliversWhatWasSentMeanwhile() throws Exception {
    try (RemoteListener _ = listen(new Endpoint.UnixPath(path.toString()));
        SocketChannel first = connect()) {
      Bytes.write(first, "early");
      Incoming held = incoming.take();
      try (SocketChannel second = connect();
          Duplex near = incoming.take().accept()) {
        Bytes.write(second, "late");
        assertThat(Bytes.text(near, 4)).isEqualTo("late");
      }
      try (Duplex near = held.accept()) {
        assertThat(Bytes.text(near, 5)).isEqualTo("early");
      }
      assertThatThrownBy(held::accept).isInstanceOf(IOException.class);
    }
  }

  @Test
  void aRefusedConnectionIsClosedByTheServer() throws Exception {
    try (RemoteListener _ = listen(new Endpoint.UnixPath(path.toString()));
        SocketChannel far = connect()) {
      incoming.take().refuse("not now");
      assertThat(far.read(ByteBuffer.allocate(1))).isEqualTo(-1);
      assertThat(client.session().isOpen()).isTrue();
    }
  }

  @Test
  void tellsWhoConnectedToATcpPortThatTheServerChose() throws Exception {
    InetAddress loopback = InetAddress.ofLiteral("127.0.0.1");
    try (RemoteListener listener = listen(new Endpoint.Ip(loopback, 0))) {
      Endpoint.Ip chosen = (Endpoint.Ip) listener.endpoint();
      assertThat(chosen.port()).isPositive();
      try (SocketChannel far = SocketChannel.open(new InetSocketAddress(loopback, chosen.port()))) {
        Incoming connection = incoming.take();
        assertThat(connection.originator()).isEqualTo(far.getLocalAddress());
        try (Duplex near = connection.accept()) {
          Bytes.write(far, "hello");
          assertThat(Bytes.text(near, 5)).isEqualTo("hello");
        }
      }
    }
  }

  @Test
  void carriesAMebibyteEachWayOverIpv6() throws Exception {
    InetAddress loopback = InetAddress.ofLiteral("::1");
    try (RemoteListener listener = listen(new Endpoint.Ip(loopback, 0))) {
      int port = ((Endpoint.Ip) listener.endpoint()).port();
      try (SocketChannel far = SocketChannel.open(new InetSocketAddress(loopback, port));
          Duplex near = incoming.take().accept()) {
        CompletableFuture<Bytes.Received> received = Bytes.async(() -> Bytes.drain(near));
        long sum = Bytes.send(far, 1, 1 << 20);
        far.shutdownOutput();
        assertThat(received.join()).isEqualTo(new Bytes.Received(1 << 20, sum));
      }
    }
  }

  @Test
  void aClosedListenerTakesNobodyAnyMore() throws Exception {
    RemoteListener listener = listen(new Endpoint.UnixPath(path.toString()));
    listener.close();
    listener.close();
    // The server answers in order: when this one is there the first is gone.
    Path next = directory.resolve("next" + number);
    try (RemoteListener _ = listen(new Endpoint.UnixPath(next.toString()))) {
      assertThatThrownBy(this::connect).isInstanceOf(IOException.class);
      assertThat(incoming).isEmpty();
    }
  }

  @Test
  void saysWhereTheServerRefusedToListen() {
    Endpoint nowhere = new Endpoint.UnixPath(directory.resolve("no/such/place").toString());
    assertThatThrownBy(() -> listen(nowhere))
        .isInstanceOf(ListenRefusedException.class)
        .hasMessageContaining("no/such/place");
  }

  @Test
  void asksForLoopbackAndPathsOnly() {
    assertThatThrownBy(() -> listen(new Endpoint.Ip(InetAddress.ofLiteral("0.0.0.0"), 0)))
        .hasMessageContaining("loopback");
    assertThatThrownBy(() -> listen(new Endpoint.UnixAbstract("name")))
        .hasMessageContaining("cannot listen");
  }

  @Test
  void whoWaitsForAnAnswerWhenTheSessionEndsIsNotAcceptedAnyMore() throws Exception {
    try (Sshd own = new Sshd(Files.createDirectory(directory.resolve("own")));
        SshSessions lost = new SshSessions(own);
        RemoteListener _ =
            RemoteListeners.listen(
                lost.session(),
                new Endpoint.UnixPath(path.toString()),
                SshSessions.BOUND,
                incoming::add);
        SocketChannel _ = connect()) {
      Incoming held = incoming.take();
      own.killConnections();
      lost.session().waitFor(EnumSet.of(ClientSessionEvent.CLOSED), 0);
      assertThatThrownBy(held::accept).isInstanceOf(IOException.class);
      held.refuse("too late");
    }
  }
}
