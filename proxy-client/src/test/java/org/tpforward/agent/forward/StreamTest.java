package org.tpforward.agent.forward;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.ByteBuffer;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.tpforward.relay.Duplex;

/** One connection, from its relay's beginning to its end. */
class StreamTest {
  @Test
  void aStreamThatIsOverAtOnceIsCountedAllTheSame() throws Exception {
    for (int i = 0; i < 2000; i++) {
      CompletableFuture<Long> counted = new CompletableFuture<>();
      Stream stream =
          new Stream(
              "short",
              new StreamOwner() {
                @Override
                public void ended(Stream ended) {
                  counted.complete(ended.bytesToClient() + ended.bytesToCm());
                }

                @Override
                public void channelOpened() {}
              },
              null);
      stream.start(new OneByte(), new OneByte());
      assertThat(counted.get(30, TimeUnit.SECONDS)).isEqualTo(2);
      assertThat(stream.isOver()).isTrue();
    }
  }

  /** A peer that has said all that it had to say before anybody listens. */
  private static final class OneByte implements Duplex {
    private boolean said;

    @Override
    public boolean suitsVirtualThreads() {
      return true;
    }

    @Override
    public int read(ByteBuffer dst) {
      if (said) {
        return -1;
      }
      said = true;
      dst.put((byte) 1);
      return 1;
    }

    @Override
    public int write(ByteBuffer src) {
      int length = src.remaining();
      src.position(src.limit());
      return length;
    }

    @Override
    public void shutdownOutput() {}

    @Override
    public boolean isOpen() {
      return true;
    }

    @Override
    public void close() {}

    @Override
    public void reset() {}
  }
}
