package org.tpforward.ssh;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.net.StandardProtocolFamily;
import java.net.UnixDomainSocketAddress;
import java.nio.ByteBuffer;
import java.nio.channels.ServerSocketChannel;
import java.nio.channels.SocketChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.tpforward.ssh.OutboundQueue.WriteFuture;

@Timeout(60)
class OutboundQueueTest {
  private static final int PACKET = 32 << 10;

  @TempDir Path directory;
  private final CompletableFuture<IOException> failure = new CompletableFuture<>();
  private SocketChannel near;
  private SocketChannel far;
  private OutboundQueue queue;

  @BeforeEach
  void connect() throws IOException {
    UnixDomainSocketAddress address = UnixDomainSocketAddress.of(directory.resolve("socket"));
    try (ServerSocketChannel server = ServerSocketChannel.open(StandardProtocolFamily.UNIX)) {
      server.bind(address);
      near = SocketChannel.open(address);
      far = server.accept();
    }
    near.configureBlocking(false);
    queue = new OutboundQueue(near, "test", failure::complete);
  }

  @AfterEach
  void close() throws IOException {
    queue.close();
    near.close();
    far.close();
  }

  private WriteFuture write(int fill) {
    byte[] bytes = new byte[PACKET];
    Arrays.fill(bytes, (byte) fill);
    return queue.write(ByteBuffer.wrap(bytes), "test");
  }

  @Test
  void whatTheSocketTakesIsDoneAtOnce() {
    assertThat(write(1).isWritten()).isTrue();
  }

  @Test
  void neverBlocksAndKeepsTheOrder() throws Exception {
    List<WriteFuture> futures = new ArrayList<>();
    int packets = 100;
    for (int i = 0; i < packets; i++) {
      futures.add(write(i));
    }
    assertThat(futures.getLast().isDone()).as("more than any socket buffer holds").isFalse();
    CompletableFuture<Void> producer =
        Bytes.async(() -> {
          queue.awaitWritable();
          return null;
        });
    ByteBuffer buffer = ByteBuffer.allocate(PACKET);
    for (int i = 0; i < packets; i++) {
      buffer.clear();
      while (buffer.hasRemaining()) {
        far.read(buffer);
      }
      assertThat(buffer.array()).startsWith((byte) i).endsWith((byte) i);
    }
    producer.join();
    for (WriteFuture future : futures) {
      assertThat(future.await(10_000)).isTrue();
      assertThat(future.isWritten()).isTrue();
    }
    assertThat(queue.last()).isNull();
  }

  @Test
  void closingFailsWhatIsQueuedAndReleasesProducers() {
    List<WriteFuture> futures = new ArrayList<>();
    for (int i = 0; i < 100; i++) {
      futures.add(write(i));
    }
    CompletableFuture<Void> producer =
        Bytes.async(() -> {
          queue.awaitWritable();
          return null;
        });
    queue.close();
    assertThatThrownBy(producer::join).hasCauseInstanceOf(IOException.class);
    assertThat(futures.getLast().getException()).isInstanceOf(IOException.class);
    assertThat(write(1).getException()).isInstanceOf(IOException.class);
  }

  @Test
  void tellsThatThePeerIsGone() throws Exception {
    far.close();
    assertThat(write(1).getException()).isInstanceOf(IOException.class);
    assertThat(failure.join()).isInstanceOf(IOException.class);
  }

  @Test
  void tellsThatThePeerIsGoneWhileSomethingIsQueued() throws Exception {
    WriteFuture last = write(0);
    for (int i = 0; i < 100; i++) {
      last = write(i);
    }
    far.close();
    assertThat(failure.join()).isInstanceOf(IOException.class);
    queue.close();
    assertThat(last.getException()).isInstanceOf(IOException.class);
  }

  private void small(String text) {
    queue.write(ByteBuffer.wrap(text.getBytes(StandardCharsets.US_ASCII)), "test");
  }

  private String there() throws IOException {
    far.configureBlocking(false);
    ByteBuffer buffer = ByteBuffer.allocate(100);
    int count = far.read(buffer);
    far.configureBlocking(true);
    return new String(buffer.array(), 0, count, StandardCharsets.US_ASCII);
  }

  @Test
  void whatIsGatheredGoesTogetherAtTheFlush() throws Exception {
    queue.gather();
    small("one ");
    small("two ");
    assertThat(there()).isEmpty();
    queue.flushGathered();
    assertThat(there()).isEqualTo("one two ");
    small("three");
    assertThat(there()).isEqualTo("three");
  }

  @Test
  void anotherThreadsWriteTakesWhatIsGatheredWithIt() throws Exception {
    queue.gather();
    small("one ");
    Bytes.async(
            () -> {
              small("two ");
              return null;
            })
        .join();
    assertThat(there()).isEqualTo("one two ");
    small("three ");
    assertThat(there()).isEmpty();
    queue.flushGathered();
    assertThat(there()).isEqualTo("three ");
  }

  @Test
  void whatIsGatheredIsBehindWhatIsQueued() throws Exception {
    queue.gather();
    small("first");
    WriteFuture last = write(0);
    for (int i = 0; i < 100; i++) {
      last = write(0);
    }
    assertThat(last.isDone()).isFalse();
    small("last");
    queue.flushGathered();
    ByteBuffer all = ByteBuffer.allocate(5 + 101 * PACKET + 4);
    while (all.hasRemaining()) {
      assertThat(far.read(all)).isPositive();
    }
    assertThat(all.array())
        .startsWith("first".getBytes(StandardCharsets.US_ASCII))
        .endsWith("last".getBytes(StandardCharsets.US_ASCII));
  }

  @Test
  void closingSendsWhatIsGathered() throws Exception {
    queue.gather();
    small("why");
    queue.close();
    assertThat(there()).isEqualTo("why");
  }
}
