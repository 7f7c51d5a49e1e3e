package org.tpforward.ssh;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.SocketChannel;
import java.nio.file.Path;
import java.time.Duration;
import java.util.EnumSet;
import java.util.concurrent.CompletableFuture;
import org.apache.sshd.client.session.ClientSession.ClientSessionEvent;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.tpforward.relay.Duplex;

/** What streams see of a connection that is lost: never an end. */
@Timeout(60)
class SshLossTest {
  private static final long MIB = 1 << 20;

  @TempDir Path directory;
  private Sshd sshd;
  private SshSessions client;
  private Service service;

  @BeforeEach
  void start() throws Exception {
    sshd = new Sshd(directory);
    client = new SshSessions(sshd);
    service = new Service(directory, "service");
  }

  @AfterEach
  void stop() throws IOException {
    client.close();
    service.close();
    sshd.close();
  }

  private Duplex open() throws IOException {
    return SshChannels.open(client.session(), service.endpoint(), SshSessions.BOUND);
  }

  @Test
  void whatWasDeliveredCanBeReadAndThenReadingFails() throws Exception {
    Duplex near = open();
    Duplex marker = open();
    try (SocketChannel far = service.accept();
        SocketChannel markerFar = service.accept()) {
      CompletableFuture<Long> sent = Bytes.async(() -> Bytes.send(far, 1, 256 << 10));
      sent.join();
      // sshd reads its channels in turn and sends in order: the answer is behind the data.
      Bytes.write(markerFar, "x");
      assertThat(Bytes.text(marker, 1)).isEqualTo("x");
      sshd.killConnections();
      client.session().waitFor(EnumSet.of(ClientSessionEvent.CLOSED), 0);
      long count = 0;
      ByteBuffer buffer = ByteBuffer.allocate(10_000);
      IOException end = null;
      while (end == null) {
        try {
          int n = near.read(buffer.clear());
          assertThat(n).as("a lost link is not an end").isPositive();
          count += n;
        } catch (IOException e) {
          end = e;
        }
      }
      assertThat(count).isPositive();
      assertThat(end).hasMessageContaining("lost");
      assertThatThrownBy(() -> Bytes.write(near, "x")).isInstanceOf(IOException.class);
    }
  }

  @Test
  void aReaderAndAWriterThatWaitAreReleasedWithAFailure() throws Exception {
    Duplex near = open();
    try (SocketChannel far = service.accept()) {
      CompletableFuture<Integer> read = Bytes.async(() -> near.read(ByteBuffer.allocate(1)));
      CompletableFuture<Long> write = Bytes.async(() -> Bytes.send(near, 2, 64 * MIB));
      // The first bytes have arrived, so both are under way.
      Bytes.text(far, 1000);
      sshd.killConnections();
      assertThatThrownBy(read::join).hasCauseInstanceOf(IOException.class);
      assertThatThrownBy(write::join).hasCauseInstanceOf(IOException.class);
    }
  }

  @Test
  void anEndThatCameBeforeTheLossStaysAnEnd() throws Exception {
    Duplex near = open();
    try (SocketChannel far = service.accept()) {
      Bytes.write(far, "all");
      far.shutdownOutput();
      assertThat(Bytes.text(near, 3)).isEqualTo("all");
      assertThat(near.read(ByteBuffer.allocate(1))).isEqualTo(-1);
      sshd.killConnections();
      client.session().waitFor(EnumSet.of(ClientSessionEvent.CLOSED), 0);
      assertThat(near.read(ByteBuffer.allocate(1))).isEqualTo(-1);
    }
  }

  @Test
  void openingFailsAtOnceWhenTheConnectionIsLostMeanwhile() throws Exception {
    sshd.stopConnections();
    CompletableFuture<Duplex> opening =
        Bytes.async(
            () -> SshChannels.open(client.session(), service.endpoint(), Duration.ofHours(1)));
    sshd.killConnections();
    assertThatThrownBy(opening::join).hasCauseInstanceOf(IOException.class);
  }

  @Test
  void openingOnALostConnectionFails() throws Exception {
    sshd.killConnections();
    client.session().waitFor(EnumSet.of(ClientSessionEvent.CLOSED), 0);
    assertThatThrownBy(this::open).isInstanceOf(IOException.class);
  }

  /**
   * A bug: it slept on for its interval, and a session that had ended was kept in memory so long.
   */
  @Test
  void whatKeepsAConnectionAliveEndsWithIt() throws Exception {
    Thread keeping = new KeepAlive(client.session(), Duration.ofHours(1), 3, silence -> {}).start();
    sshd.killConnections();
    keeping.join();
    assertThat(client.session().isClosed()).isTrue();
  }
}
