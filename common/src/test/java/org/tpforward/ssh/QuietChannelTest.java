package org.tpforward.ssh;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.SocketChannel;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Objects;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.tpforward.relay.Duplex;
import org.tpforward.relay.QuietRelay;
import org.tpforward.relay.Relay;
import org.tpforward.socket.Connection;
import org.tpforward.socket.Endpoint;
import org.tpforward.socket.Listener;

/** Channels that nobody waits for, and what the reading thread itself moves, over a stock sshd. */
@Timeout(60)
class QuietChannelTest {
  private static final long MIB = 1 << 20;

  @TempDir Path directory;

  @Test
  void manyShortConnectionsWhileKeysChange() throws Exception {
    try (Sshd sshd = new Sshd(directory, "RekeyLimit 512K");
        SshSessions client = new SshSessions(sshd);
        Service service = new Service(directory, "service");
        Service bulk = new Service(directory, "bulk")) {
      AtomicInteger exchanges = client.keyExchanges();
      try (Duplex near = SshChannels.open(client.session(), bulk.endpoint(), SshSessions.BOUND);
          SocketChannel far = bulk.accept()) {
        CompletableFuture<Long> up =
            Bytes.async(() -> {
              long sum = Bytes.send(near, 1, 24 * MIB);
              near.shutdownOutput();
              return sum;
            });
        CompletableFuture<Bytes.Received> atFar = Bytes.async(() -> Bytes.drain(far));
        int count = 0;
        while (!atFar.isDone() || count < 50) {
          talk(client, service);
          count++;
        }
        assertThat(atFar.join()).isEqualTo(new Bytes.Received(24 * MIB, up.join()));
      }
      assertThat(exchanges).hasValueGreaterThan(3);
    }
  }

  /** One connection from its opening to its end, with more than fits into one step in between. */
  private void talk(SshSessions client, Service service) throws Exception {
    CountDownLatch done = new CountDownLatch(1);
    try (Quiet quiet = Quiet.open(client, service, directory, done::countDown);
        SocketChannel far = service.accept()) {
      for (int i = 0; i < 5; i++) {
        Bytes.write(quiet.outer, "ping");
        assertThat(Bytes.text(far, 4)).isEqualTo("ping");
        Bytes.write(far, "pong");
        assertThat(Bytes.text(quiet.outer, 4)).isEqualTo("pong");
      }
      quiet.outer.shutdownOutput();
      assertThat(far.read(ByteBuffer.allocate(1))).isEqualTo(-1);
      Bytes.write(far, "the rest");
      far.shutdownOutput();
      assertThat(Bytes.text(quiet.outer, 8)).isEqualTo("the rest");
      assertThat(quiet.outer.read(ByteBuffer.allocate(1))).isEqualTo(-1);
      done.await();
    }
  }

  @Test
  void muchGoesThroughBothWays() throws Exception {
    CountDownLatch done = new CountDownLatch(1);
    try (Sshd sshd = new Sshd(directory);
        SshSessions client = new SshSessions(sshd);
        Service service = new Service(directory, "service");
        Quiet quiet = Quiet.open(client, service, directory, done::countDown);
        SocketChannel far = service.accept()) {
      CompletableFuture<Long> up =
          Bytes.async(() -> {
            long sum = Bytes.send(quiet.outer, 1, 8 * MIB);
            quiet.outer.shutdownOutput();
            return sum;
          });
      CompletableFuture<Long> down =
          Bytes.async(() -> {
            long sum = Bytes.send(far, 2, 8 * MIB);
            far.shutdownOutput();
            return sum;
          });
      CompletableFuture<Bytes.Received> atFar = Bytes.async(() -> Bytes.drain(far));
      assertThat(Bytes.drain(quiet.outer)).isEqualTo(new Bytes.Received(8 * MIB, down.join()));
      assertThat(atFar.join()).isEqualTo(new Bytes.Received(8 * MIB, up.join()));
      done.await();
    }
  }

  @Test
  void aLostConnectionEndsAQuietStreamAsBroken() throws Exception {
    CompletableFuture<Relay.Side> failed = new CompletableFuture<>();
    CountDownLatch done = new CountDownLatch(1);
    Relay.Hooks hooks =
        new Relay.Hooks() {
          @Override
          public void atFailure(Relay.Side broken, IOException failure) {
            failed.complete(broken);
          }

          @Override
          public void done() {
            done.countDown();
          }
        };
    try (Sshd sshd = new Sshd(directory);
        SshSessions client = new SshSessions(sshd);
        Service service = new Service(directory, "service");
        Quiet quiet = Quiet.open(client, service, directory, hooks);
        SocketChannel far = service.accept()) {
      Bytes.write(quiet.outer, "ping");
      assertThat(Bytes.text(far, 4)).isEqualTo("ping");
      sshd.killConnections();
      assertThat(failed.join()).isEqualTo(Relay.Side.FAR);
      done.await();
      assertThat(quiet.outer.read(ByteBuffer.allocate(1))).isEqualTo(-1);
    }
  }

  @Test
  void aRefusalIsTold() throws Exception {
    try (Sshd sshd = new Sshd(directory);
        SshSessions client = new SshSessions(sshd)) {
      Endpoint nobody = new Endpoint.UnixPath(directory.resolve("nobody").toString());
      Opened opened = begin(client, nobody, SshSessions.BOUND);
      assertThatThrownBy(opened.stream::join).hasCauseInstanceOf(ChannelOpenFailedException.class);
    }
  }

  @Test
  void whoIsNotAnsweredInTimeIsTold() throws Exception {
    try (Sshd sshd = new Sshd(directory);
        SshSessions client = new SshSessions(sshd);
        Service service = new Service(directory, "service")) {
      sshd.stopConnections();
      Opened opened = begin(client, service.endpoint(), Duration.ofMillis(50));
      assertThatThrownBy(opened.stream::join).hasMessageContaining("did not open a channel");
      sshd.killConnections();
    }
  }

  @Test
  void whoWaitsForAConnectionThatIsLostIsTold() throws Exception {
    try (Sshd sshd = new Sshd(directory);
        SshSessions client = new SshSessions(sshd);
        Service service = new Service(directory, "service")) {
      sshd.stopConnections();
      Opened opened = begin(client, service.endpoint(), Duration.ofHours(1));
      sshd.killConnections();
      assertThatThrownBy(opened.stream::join).hasCauseInstanceOf(IOException.class);
    }
  }

  private static Opened begin(SshSessions client, Endpoint target, Duration timeout)
      throws IOException {
    Opened opened = new Opened();
    SshChannels.begin(client.session(), target, timeout, false, opened);
    return opened;
  }

  private static final class Opened implements Opening {
    final CompletableFuture<Duplex> stream = new CompletableFuture<>();

    @Override
    public void opened(Duplex opened) {
      stream.complete(opened);
    }

    @Override
    public void failed(IOException why) {
      stream.completeExceptionally(why);
    }
  }

  /** A local connection that goes through a channel, begun in the thread that opened it. */
  private record Quiet(Connection outer, Connection inner) implements AutoCloseable {
    static Quiet open(SshSessions client, Service service, Path directory, Relay.Hooks hooks)
        throws IOException {
      Endpoint where = new Endpoint.UnixPath(directory.resolve("local").toString());
      try (Listener listener = Listener.open(where)) {
        Quiet quiet = new Quiet(Connection.connect(where), listener.accept());
        SshChannels.begin(
            client.session(),
            service.endpoint(),
            SshSessions.BOUND,
            false,
            new Opening() {
              @Override
              public void opened(Duplex far) {
                Objects.requireNonNull(QuietRelay.of("quiet", quiet.inner, far, hooks)).begin();
              }

              @Override
              public void failed(IOException why) {
                quiet.close();
              }
            });
        return quiet;
      }
    }

    @Override
    public void close() {
      outer.close();
      inner.close();
    }
  }
}
