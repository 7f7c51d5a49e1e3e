package org.tpforward.server.channel;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.concurrent.atomic.AtomicLong;
import org.tpforward.relay.Duplex;
import org.tpforward.relay.ForwardingDuplex;

/** Counts what goes through a stream. */
final class CountedDuplex extends ForwardingDuplex {
  private final AtomicLong read = new AtomicLong();
  private final AtomicLong written = new AtomicLong();

  CountedDuplex(Duplex inner) {
    super(inner);
  }

  long bytesRead() {
    return read.get();
  }

  long bytesWritten() {
    return written.get();
  }

  @Override
  public int read(ByteBuffer dst) throws IOException {
    int count = super.read(dst);
    read.addAndGet(Math.max(0, count));
    return count;
  }

  @Override
  public boolean awaitReadable(long millis, Receiver receiver) throws IOException {
    return super.awaitReadable(
        millis,
        (bytes, offset, length) -> {
          int count = receiver.receive(bytes, offset, length);
          read.addAndGet(count);
          return count;
        });
  }

  @Override
  public int write(ByteBuffer src) throws IOException {
    int count = super.write(src);
    written.addAndGet(count);
    return count;
  }

  @Override
  public int writeNow(byte[] bytes, int offset, int length) {
    int count = super.writeNow(bytes, offset, length);
    written.addAndGet(count);
    return count;
  }
}
