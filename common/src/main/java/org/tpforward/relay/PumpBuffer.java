package org.tpforward.relay;

import java.nio.ByteBuffer;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.Semaphore;
import org.jspecify.annotations.Nullable;

/**
 * A pump's buffer: small while little comes, so that a thousand idle streams cost little; a large
 * one borrowed while much comes. Owned by one thread.
 *
 * <p>The number of large ones is bounded for the whole process, because direct memory is (by the
 * heap's maximum, if nothing else is said). Who gets none goes on with the small one.
 */
final class PumpBuffer implements AutoCloseable {
  /** Bytes. */
  static final int SMALL = 8 << 10;

  /** Bytes. */
  static final int LARGE = 128 << 10;

  private static final int MAX_LARGE = 64;
  private static final Semaphore PERMITS = new Semaphore(MAX_LARGE);
  private static final ConcurrentLinkedQueue<ByteBuffer> SPARE = new ConcurrentLinkedQueue<>();

  private final ByteBuffer small = ByteBuffer.allocateDirect(SMALL);
  private @Nullable ByteBuffer large;

  /** The buffer to use next, empty. */
  ByteBuffer clear() {
    return (large != null ? large : small).clear();
  }

  /** Chooses the next buffer by what the last read brought. Call when its bytes are written. */
  void adapt(int lastRead) {
    if (large == null && lastRead == SMALL) {
      borrow();
    } else if (lastRead < SMALL) {
      close();
    }
  }

  private void borrow() {
    if (PERMITS.tryAcquire()) {
      ByteBuffer spare = SPARE.poll();
      try {
        large = spare != null ? spare : ByteBuffer.allocateDirect(LARGE);
      } catch (OutOfMemoryError e) {
        // Others have used up the direct memory; that must not end a stream.
        PERMITS.release();
      }
    }
  }

  /** Gives a large buffer back. */
  @Override
  public void close() {
    if (large != null) {
      SPARE.add(large);
      large = null;
      PERMITS.release();
    }
  }

  /** How many large buffers are lent at this moment, in the whole process. */
  static int lent() {
    return MAX_LARGE - PERMITS.availablePermits();
  }
}
