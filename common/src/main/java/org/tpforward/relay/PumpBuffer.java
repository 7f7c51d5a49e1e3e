package org.tpforward.relay;

import java.nio.ByteBuffer;
import java.util.concurrent.ArrayBlockingQueue;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.Semaphore;
import org.jspecify.annotations.Nullable;

/**
 * A pump's buffer: none while it waits, if it can; a small one while little comes, so that a
 * thousand idle streams cost little; a large one while much comes. All are borrowed. Owned by one
 * thread at a time.
 *
 * <p>The number of large ones is bounded for the whole process, because direct memory is (by the
 * heap's maximum, if nothing else is said). Who gets none goes on with a small one.
 */
final class PumpBuffer implements AutoCloseable {
  /** Bytes. */
  static final int SMALL = 8 << 10;

  /** Bytes. */
  static final int LARGE = 128 << 10;

  private static final int MAX_LARGE = 64;

  /** Small ones that are kept for the next pump that needs one. */
  private static final int MAX_SPARE = 64;

  private static final Semaphore PERMITS = new Semaphore(MAX_LARGE);
  private static final ConcurrentLinkedQueue<ByteBuffer> SPARE_LARGE =
      new ConcurrentLinkedQueue<>();
  private static final BlockingQueue<ByteBuffer> SPARE_SMALL = new ArrayBlockingQueue<>(MAX_SPARE);

  private @Nullable ByteBuffer small;
  private @Nullable ByteBuffer large;

  /** The buffer to use next, empty. */
  ByteBuffer clear() {
    if (large != null) {
      return large.clear();
    }
    ByteBuffer buffer = small;
    if (buffer == null) {
      ByteBuffer spare = SPARE_SMALL.poll();
      buffer = spare != null ? spare : ByteBuffer.allocateDirect(SMALL);
      small = buffer;
    }
    return buffer.clear();
  }

  /**
   * Chooses the next buffer by what the last read brought. Call when its bytes are written.
   *
   * @return whether much comes
   */
  boolean adapt(int lastRead) {
    if (large == null && lastRead == SMALL) {
      borrow();
    } else if (lastRead < SMALL) {
      returnLarge();
    }
    return large != null;
  }

  private void borrow() {
    if (PERMITS.tryAcquire()) {
      ByteBuffer spare = SPARE_LARGE.poll();
      try {
        large = spare != null ? spare : ByteBuffer.allocateDirect(LARGE);
      } catch (OutOfMemoryError e) {
        // Others have used up the direct memory; that must not end a stream.
        PERMITS.release();
      }
    }
  }

  private void returnLarge() {
    if (large != null) {
      SPARE_LARGE.add(large);
      large = null;
      PERMITS.release();
    }
  }

  @Override
  public void close() {
    giveBack();
  }

  /** Gives all back; {@link #clear} borrows again. */
  void giveBack() {
    returnLarge();
    if (small != null) {
      SPARE_SMALL.offer(small);
      small = null;
    }
  }

  /** How many large buffers are lent at this moment, in the whole process. */
  static int lent() {
    return MAX_LARGE - PERMITS.availablePermits();
  }
}
