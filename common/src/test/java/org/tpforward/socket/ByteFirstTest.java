package org.tpforward.socket;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Objects;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.newsclub.net.unix.AFUNIXServerSocketChannel;

/** Against a peer as some CMs are: it reads the byte with all that is there. */
class ByteFirstTest {
  private static final ByteBuffer NOTHING = ByteBuffer.allocate(0);

  @TempDir Path dir;

  /** Accepts as a CM does: SO_PASSCRED is off until it reads. */
  private static final class Peer implements AutoCloseable {
    private final AFUNIXServerSocketChannel listener;
    final Connection client;
    final Connection server;

    Peer(Path dir) throws IOException {
      Endpoint endpoint = Kind.PATH.free(dir);
      listener = AFUNIXServerSocketChannel.open();
      listener.bind(Endpoints.nativeAddress(endpoint));
      client = Connection.connectForCredentials(endpoint);
      server = Connection.of(listener.accept(), endpoint);
    }

    CredentialByte.Arrived read() throws IOException {
      return CredentialByte.receiveLate(server, 100, OtherUser.PATIENCE);
    }

    @Override
    public void close() throws IOException {
      client.close();
      server.close();
      listener.close();
    }
  }

  private static ByteBuffer bytes(String text) {
    return ByteBuffer.wrap(text.getBytes(java.nio.charset.StandardCharsets.US_ASCII));
  }

  private static int writeAll(ByteFirst to, String text) throws IOException {
    ByteBuffer all = bytes(text);
    int count = 0;
    while (all.hasRemaining()) {
      count += to.write(all);
    }
    return count;
  }

  @ParameterizedTest
  @ValueSource(booleans = {true, false})
  void dataWaitUntilTheByteIsRead(boolean sent) throws Exception {
    try (Peer peer = new Peer(dir)) {
      ByteFirst stream;
      if (sent) {
        CredentialByte.send(peer.client, 'x');
        stream = ByteFirst.sent(peer.client, OtherUser.PATIENCE);
      } else {
        stream = ByteFirst.toCome(peer.client, OtherUser.PATIENCE);
      }
      CompletableFuture<Integer> written =
          Threads.run(() -> writeAll(stream, sent ? "data" : "xdata"));
      CredentialByte.Arrived arrived = peer.read();
      assertThat(arrived.value()).isEqualTo('x');
      assertThat(arrived.extra()).isZero();
      assertThat(Objects.requireNonNull(arrived.sender()).uid()).isEqualTo(Uids.own());
      assertThat(Bytes.receive(peer.server, 4)).isEqualTo("data");
      assertThat(written.get(30, TimeUnit.SECONDS)).isEqualTo(sent ? 4 : 5);
    }
  }

  /** The other side sends the byte by itself, and waits for an answer before it says more. */
  @Test
  void theByteAloneDoesNotWait() throws Exception {
    try (Peer peer = new Peer(dir)) {
      ByteFirst stream = ByteFirst.toCome(peer.client, OtherUser.PATIENCE);
      assertThat(stream.write(NOTHING)).isZero();
      assertThat(stream.write(bytes("x"))).isEqualTo(1);
      assertThat(peer.read().extra()).isZero();
    }
  }

  @Test
  void aByteThatNobodyReadsDoesNotHoldForEver() throws Exception {
    try (Peer peer = new Peer(dir)) {
      ByteFirst stream = ByteFirst.toCome(peer.client, Duration.ofMillis(1));
      assertThat(writeAll(stream, "xdata")).isEqualTo(5);
      assertThat(peer.read().extra()).isEqualTo(4);
    }
  }

  @Test
  void readingDoesNotWaitAndClosingClosesTheConnection() throws Exception {
    try (Peer peer = new Peer(dir)) {
      ByteFirst stream = ByteFirst.toCome(peer.client, OtherUser.PATIENCE);
      Bytes.send(peer.server, "first");
      ByteBuffer five = ByteBuffer.allocate(5);
      while (five.hasRemaining()) {
        assertThat(stream.read(five)).isPositive();
      }
      stream.close();
      assertThat(stream.isOpen()).isFalse();
      assertThatThrownBy(() -> stream.write(bytes("x"))).isInstanceOf(IOException.class);
    }
  }
}
