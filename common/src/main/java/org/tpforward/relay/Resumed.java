package org.tpforward.relay;

import java.io.IOException;
import java.nio.ByteBuffer;
import org.jspecify.annotations.Nullable;

/** A stream of which something has been read already: bytes, or the failure to read any more. */
public final class Resumed extends ForwardingDuplex {
  private final @Nullable IOException failure;

  /** Its reader's only; null once it is read. */
  private @Nullable ByteBuffer before;

  /**
   * Goes on with a stream.
   *
   * @param stream is closed with this one
   * @param before what comes before that which can still be read from it; may be empty
   */
  public Resumed(Duplex stream, ByteBuffer before) {
    this(stream, before.hasRemaining() ? before : null, null);
  }

  Resumed(Duplex stream, @Nullable ByteBuffer before, @Nullable IOException failure) {
    super(stream);
    this.before = before;
    this.failure = failure;
  }

  @Override
  public int read(ByteBuffer dst) throws IOException {
    ByteBuffer rest = before;
    if (rest != null && isOpen()) {
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
    return super.read(dst);
  }

  @Override
  public boolean awaitReadable(long millis) throws IOException {
    return isReady() || super.awaitReadable(millis);
  }

  @Override
  public boolean awaitReadable(long millis, Receiver receiver) throws IOException {
    return isReady() || super.awaitReadable(millis, receiver);
  }

  private boolean isReady() {
    return before != null || failure != null;
  }
}
