package org.tpforward.ssh;

import java.io.IOException;
import java.io.InterruptedIOException;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;
import org.jspecify.annotations.Nullable;

/**
 * How much the peer lets a channel send, and who sends just now. Once closing has begun no packet
 * follows: OpenSSH ends the whole session over one for a channel that is gone.
 */
final class OutboundWindow {
  private static final long MAX = 0xFFFF_FFFFL;

  private final ReentrantLock lock = new ReentrantLock();
  private final Condition changed = lock.newCondition();
  private long credit;
  private boolean sending;
  private boolean shut;
  private @Nullable IOException failure;
  private @Nullable Runnable afterSending;

  /** The peer allows {@code bytes} more (SSH_MSG_CHANNEL_WINDOW_ADJUST). */
  void grow(long bytes) {
    lock.lock();
    try {
      credit = Math.min(MAX, credit + bytes);
      changed.signalAll();
    } finally {
      lock.unlock();
    }
  }

  /**
   * Waits until something may be sent. The caller sends as much as is returned and then calls
   * {@link #sent}.
   *
   * @return 1 to {@code wanted} bytes
   * @throws IOException if nothing may be sent any more
   */
  int beginSending(int wanted) throws IOException {
    lock.lock();
    try {
      while (true) {
        if (failure != null) {
          throw Failures.here(failure);
        }
        if (shut) {
          throw new IOException("the stream's output has been shut down");
        }
        if (credit > 0) {
          int count = (int) Math.min(credit, wanted);
          credit -= count;
          sending = true;
          return count;
        }
        changed.await();
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new InterruptedIOException("interrupted while writing an SSH channel");
    } finally {
      lock.unlock();
    }
  }

  /** How much {@link #beginSending} would give at once, if it did not throw. */
  long credit() {
    lock.lock();
    try {
      return failure != null || shut ? MAX : credit;
    } finally {
      lock.unlock();
    }
  }

  /** The packet has been passed on; runs what waited for that. */
  void sent() {
    Runnable deferred;
    lock.lock();
    try {
      sending = false;
      deferred = afterSending;
      afterSending = null;
    } finally {
      lock.unlock();
    }
    if (deferred != null) {
      deferred.run();
    }
  }

  /** No more is written on this side; false if that was so before. */
  boolean shutdown() {
    lock.lock();
    try {
      boolean first = !shut && failure == null;
      shut = true;
      changed.signalAll();
      return first;
    } finally {
      lock.unlock();
    }
  }

  /**
   * Ends writing: with an exception for who waits or comes later. {@code then} runs as soon as no
   * packet is being sent: in this thread now, or later in the one that sends. It never waits,
   * because the sender may wait for a key exchange, and this thread may be the one that reads it.
   */
  void fail(IOException why, Runnable then) {
    lock.lock();
    try {
      if (failure == null) {
        failure = why;
      }
      changed.signalAll();
      if (sending) {
        Runnable before = afterSending;
        afterSending =
            before == null
                ? then
                : () -> {
                  before.run();
                  then.run();
                };
        return;
      }
    } finally {
      lock.unlock();
    }
    then.run();
  }
}
