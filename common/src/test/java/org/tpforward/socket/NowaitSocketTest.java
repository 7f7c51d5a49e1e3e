package org.tpforward.socket;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.net.InetAddress;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Arrays;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** {@link Connection#writeNow}, on every kind of local socket. */
@Timeout(60)
class NowaitSocketTest {
  private static final int MORE_THAN_ANY_BUFFER = 64 << 20;

  @TempDir Path directory;

  /** A kind of socket, and whose channel it is. */
  enum Kind {
    JDK_PATH,
    NATIVE_PATH,
    ABSTRACT,
    TCP
  }

  private record Pair(Connection near, Connection far) implements AutoCloseable {
    @Override
    public void close() {
      near.close();
      far.close();
    }
  }

  private Pair open(Kind kind) throws IOException {
    Endpoint.UnixPath path = new Endpoint.UnixPath(directory.resolve("socket").toString());
    Endpoint where =
        switch (kind) {
          case JDK_PATH, NATIVE_PATH -> path;
          case ABSTRACT -> new Endpoint.UnixAbstract(directory + "/socket");
          case TCP -> new Endpoint.Ip(InetAddress.getLoopbackAddress(), 0);
        };
    boolean credentials = kind == Kind.NATIVE_PATH;
    try (Listener listener =
        credentials ? Listener.openForCredentials(where) : Listener.open(where)) {
      Connection near =
          credentials
              ? Connection.connectForCredentials(listener.endpoint())
              : Connection.connect(listener.endpoint());
      return new Pair(near, listener.accept());
    }
  }

  /** The first calls write nothing: another thread makes then what they need. */
  private static int writeNow(Connection to, byte[] bytes, int offset, int length) {
    while (true) {
      int count = to.writeNow(bytes, offset, length);
      if (count > 0) {
        return count;
      }
      Thread.onSpinWait();
    }
  }

  @ParameterizedTest
  @EnumSource(Kind.class)
  void writesWhatTheSocketTakesAndNeverWaits(Kind kind) throws Exception {
    try (Pair pair = open(kind)) {
      byte[] bytes = new byte[64 << 10];
      new Random(7).nextBytes(bytes);
      int sent = writeNow(pair.near, bytes, 1, 1000);
      assertThat(sent).isEqualTo(1000);
      int count;
      do {
        count = pair.near.writeNow(bytes, 0, bytes.length);
        sent += count;
      } while (count == bytes.length && sent < MORE_THAN_ANY_BUFFER);
      assertThat(sent).as("nobody reads").isLessThan(MORE_THAN_ANY_BUFFER);

      ByteBuffer read = ByteBuffer.allocate(sent);
      while (read.hasRemaining()) {
        assertThat(pair.far.read(read)).isPositive();
      }
      assertThat(Arrays.copyOf(read.array(), 1000)).isEqualTo(Arrays.copyOfRange(bytes, 1, 1001));
      assertThat(read.array()[1000]).isEqualTo(bytes[0]);
      assertThat(pair.near.write(ByteBuffer.wrap(bytes))).as("waits as ever").isPositive();
    }
  }

  @ParameterizedTest
  @EnumSource(Kind.class)
  void writesNothingToAConnectionThatIsClosedOrWhosePeerIsGone(Kind kind) throws Exception {
    byte[] bytes = {1, 2, 3};
    try (Pair pair = open(kind)) {
      assertThat(writeNow(pair.near, bytes, 0, 3)).isEqualTo(3);
      pair.near.close();
      assertThat(pair.near.writeNow(bytes, 0, 3)).isZero();
    }
    if (kind != Kind.TCP) {
      try (Pair pair = open(kind)) {
        pair.far.close();
        assertThat(pair.near.writeNow(bytes, 0, 3)).isZero();
      }
    }
  }

  @Test
  void aByteThatIsNotReadYetKeepsTheRestBack() throws Exception {
    try (Pair pair = open(Kind.NATIVE_PATH)) {
      byte[] bytes = {1, 2, 3};
      writeNow(pair.near, bytes, 0, 1);
      ByteFirst first = ByteFirst.sent(pair.near, Duration.ofSeconds(30));
      assertThat(first.writeNow(bytes, 0, 3)).isZero();
      assertThat(pair.far.read(ByteBuffer.allocate(1))).isEqualTo(1);
      first.write(ByteBuffer.wrap(bytes));
      assertThat(first.writeNow(bytes, 0, 3)).isEqualTo(3);
    }
  }
}
