package org.tpforward.server.channel;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.concurrent.atomic.AtomicLong;
import org.tpforward.relay.Duplex;

/** Counts what goes through a stream. */
final class CountedDuplex implements Duplex {
  private final Duplex inner;
  private final AtomicLong read = new AtomicLong();
  private final AtomicLong written = new AtomicLong();

  CountedDuplex(Duplex inner) {
    this.inner = inner;
  }

  long bytesRead() {
    return read.get();
  }

  long bytesWritten() {
    return written.get();
  }

  @Override
  public boolean suitsVirtualThreads() {
    return inner.suitsVirtualThreads();
  }

  @Override
  public int read(ByteBuffer dst) throws IOException {
    int count = inner.read(dst);
    read.addAndGet(Math.max(0, count));
    return count;
  }

  @Override
  public boolean canAwait() {
    return inner.canAwait();
  }

  @Override
  public boolean awaitReadable(long millis) throws IOException {
    return inner.awaitReadable(millis);
  }

  @Override
  public boolean awaitReadable(long millis, Receiver receiver) throws IOException {
    return inner.awaitReadable(
        millis,
        (bytes, offset, length) -> {
          int count = receiver.receive(bytes, offset, length);
          read.addAndGet(count);
          return count;
        });
  }

  @Override
  public int write(ByteBuffer src) throws IOException {
    int count = inner.write(src);
    written.addAndGet(count);
    return count;
  }

  @Override
  public int writeNow(byte[] bytes, int offset, int length) {
    int count = inner.writeNow(bytes, offset, length);
    written.addAndGet(count);
    return count;
  }

  @Override
  public void shutdownOutput() throws IOException {
    inner.shutdownOutput();
  }

  @Override
  public boolean isOpen() {
    return inner.isOpen();
  }

  @Override
  public void close() {
    inner.close();
  }

  @Override
  public void reset() {
    inner.reset();
  }

  @Override
  public String toString() {
    return inner.toString();
  }
}
