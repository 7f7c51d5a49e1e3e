package org.tpforward.relay;

import java.io.IOException;
import java.nio.ByteBuffer;
import org.jspecify.annotations.Nullable;

/** A stream of which something has been read already: bytes, or the failure to read any more. */
final class Resumed implements Duplex {
  private final Duplex stream;
  private final @Nullable IOException failure;

  /** Its reader's only; null once it is read. */
  private @Nullable ByteBuffer before;

  Resumed(Duplex stream, byte @Nullable [] before, @Nullable IOException failure) {
    this.stream = stream;
    this.before = before == null ? null : ByteBuffer.wrap(before);
    this.failure = failure;
  }

  @Override
  public int read(ByteBuffer dst) throws IOException {
    ByteBuffer rest = before;
    if (rest != null && stream.isOpen()) {
      int count = Math.min(dst.remaining(), rest.remaining());
      dst.put(rest.slice(rest.position(), count));
      rest.position(rest.position() + count);
      if (!rest.hasRemaining()) {
        before = null;
      }
      return count;
    }
    if (failure != null) {
      throw new IOException(failure.getMessage(), failure);
    }
    return stream.read(dst);
  }

  @Override
  public boolean canAwait() {
    return stream.canAwait();
  }

  @Override
  public boolean awaitReadable(long millis) throws IOException {
    return before != null || failure != null || stream.awaitReadable(millis);
  }

  @Override
  public boolean awaitReadable(long millis, Receiver receiver) throws IOException {
    return before != null || failure != null || stream.awaitReadable(millis, receiver);
  }

  @Override
  public int writeNow(byte[] bytes, int offset, int length) {
    return stream.writeNow(bytes, offset, length);
  }

  @Override
  public boolean suitsVirtualThreads() {
    return stream.suitsVirtualThreads();
  }

  @Override
  public int write(ByteBuffer src) throws IOException {
    return stream.write(src);
  }

  @Override
  public void shutdownOutput() throws IOException {
    stream.shutdownOutput();
  }

  @Override
  public boolean isOpen() {
    return stream.isOpen();
  }

  @Override
  public void close() {
    stream.close();
  }

  @Override
  public void reset() {
    stream.reset();
  }

  @Override
  public String toString() {
    return stream.toString();
  }
}
