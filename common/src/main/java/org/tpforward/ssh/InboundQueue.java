package org.tpforward.ssh;

import java.io.IOException;
import java.io.InterruptedIOException;
import java.nio.ByteBuffer;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.LongSupplier;
import org.apache.sshd.common.SshConstants;
import org.apache.sshd.common.SshException;
import org.jspecify.annotations.Nullable;
import org.tpforward.relay.Duplex.Receiver;

/**
 * What a channel has received and its reader has not taken yet. The peer's window bounds it, and
 * grows again only by what the reader took.
 *
 * <p>One thread offers (MINA's reading thread, which never waits here), one takes. While the taker
 * waits with a receiver, the offering thread gives it what it can at once: no other thread is woken
 * then, and nothing is copied.
 */
final class InboundQueue {
  /** Room for what follows when small packets pile up: a chunk for each would cost far more. */
  private static final int SMALL = 8 << 10;

  /** Up to here a window grows whenever its stream is read as fast as it fills. Bytes. */
  private static final long WIDE = 2L << 20;

  /** Further only if it moves less, in bytes per ms: then it may be for the way's length. */
  private static final long FAST = (256L << 20) / 1000;

  private final ReentrantLock lock = new ReentrantLock();
  private final Condition changed = lock.newCondition();
  private final Deque<Chunk> chunks = new ArrayDeque<>();
  private final ReceiveBudget budget;
  private final LongSupplier nanoTime;

  /** All that the peer may have sent, or send, before the reader takes any of it. */
  private long size;

  /** What of it the peer has not sent yet. */
  private long window;

  /** What the reader took, and the peer does not know of yet. */
  private long taken;

  /** What the reader took since {@link #since}. */
  private long takenInAll;

  /** When that count began. */
  private long since;

  /** The waiting reader's, who has taken all that was there. */
  private @Nullable Receiver receiver;

  private boolean ended;
  private boolean abandoned;
  private @Nullable IOException failure;

  /**
   * @param budget where the window is taken from; {@link #abandon} gives it back
   */
  InboundQueue(ReceiveBudget budget) {
    this(budget, System::nanoTime);
  }

  InboundQueue(ReceiveBudget budget, LongSupplier nanoTime) {
    this.budget = budget;
    this.nanoTime = nanoTime;
    size = budget.begin();
    window = size;
    since = nanoTime.getAsLong();
  }

  /** How many bytes the peer may send before any are taken. */
  long initialWindow() {
    return size;
  }

  /**
   * Hands received bytes to the receiver that waits, or adds a copy.
   *
   * @return by how much to widen the peer's window now; 0 for not yet
   * @throws SshException if the peer sent more than its window; ends the session
   */
  long offer(byte[] data, int offset, int length) throws SshException {
    lock.lock();
    try {
      spend(length);
      if (failure != null || ended || length == 0) {
        taken += length;
        return 0;
      }
      int received = 0;
      if (receiver != null) {
        received = receiver.receive(data, offset, length);
        if (received < length) {
          // It would have to wait; the reader does that.
          receiver = null;
        }
      }
      if (received < length) {
        add(data, offset + received, length - received);
        changed.signal();
      }
      return received == 0 ? 0 : release(received);
    } finally {
      lock.unlock();
    }
  }

  private void add(byte[] data, int offset, int length) {
    Chunk tail = chunks.peekLast();
    if (tail == null || !tail.append(data, offset, length)) {
      byte[] copy =
          length >= SMALL ? PacketArrays.take(length) : new byte[tail == null ? length : SMALL];
      System.arraycopy(data, offset, copy, 0, length);
      chunks.add(new Chunk(copy, length));
    }
  }

  /** Accounts for received bytes that nobody will read. */
  void discard(int length) throws SshException {
    lock.lock();
    try {
      spend(length);
      taken += length;
    } finally {
      lock.unlock();
    }
  }

  private void spend(int length) throws SshException {
    if (length > window) {
      throw new SshException(
          SshConstants.SSH2_DISCONNECT_PROTOCOL_ERROR,
          "the peer sent " + length + " bytes into a window of " + window);
    }
    window -= length;
  }

  /** The peer's end, in order: after what was offered before. */
  void end() {
    lock.lock();
    try {
      ended = true;
      changed.signalAll();
    } finally {
      lock.unlock();
    }
  }

  /** The stream broke: after what was offered before. Nothing changes if it has ended already. */
  void fail(IOException why) {
    lock.lock();
    try {
      if (!ended && failure == null) {
        failure = why;
      }
      changed.signalAll();
    } finally {
      lock.unlock();
    }
  }

  /** This side reads no more: what is queued is dropped. Idempotent. */
  void abandon(IOException why) {
    lock.lock();
    try {
      chunks.clear();
      if (!abandoned) {
        abandoned = true;
        budget.end(size);
      }
      ended = false;
      failure = why;
      changed.signalAll();
    } finally {
      lock.unlock();
    }
  }

  /**
   * Waits until {@link #take} would not.
   *
   * @param millis how long at most; 0 for no bound
   * @param meanwhile given what arrives before this returns, if it is not null
   * @return false if the time has passed
   */
  boolean await(long millis, @Nullable Receiver meanwhile) throws IOException {
    lock.lock();
    try {
      long left = TimeUnit.MILLISECONDS.toNanos(millis);
      while (chunks.isEmpty() && failure == null && !ended) {
        receiver = meanwhile;
        if (millis == 0) {
          changed.await();
        } else if (left <= 0) {
          return false;
        } else {
          left = changed.awaitNanos(left);
        }
      }
      return true;
    } catch (InterruptedException e) {
      throw interrupted();
    } finally {
      receiver = null;
      lock.unlock();
    }
  }

  /** Whether a reader waits, and takes what comes by its receiver. */
  boolean hasReceiver() {
    lock.lock();
    try {
      return receiver != null;
    } finally {
      lock.unlock();
    }
  }

  /** Whether {@link #take} would not wait. */
  boolean isReady() {
    lock.lock();
    try {
      return !chunks.isEmpty() || failure != null || ended;
    } finally {
      lock.unlock();
    }
  }

  private static InterruptedIOException interrupted() {
    Thread.currentThread().interrupt();
    return new InterruptedIOException("interrupted while reading an SSH channel");
  }

  /**
   * Takes what is there, waiting for at least one byte.
   *
   * @return the number of bytes, or -1 at the end
   * @throws IOException if the stream broke and everything before that has been taken
   */
  int take(ByteBuffer dst) throws IOException {
    int count = 0;
    while (dst.hasRemaining()) {
      Chunk head = count == 0 ? awaitHead() : peek();
      if (head == null) {
        return count == 0 ? -1 : count;
      }
      // Only the reader moves a chunk's start, so the copy needs no lock.
      count += head.copyTo(dst);
      lock.lock();
      try {
        // abandon() may have dropped it already.
        if (head.isEmpty() && chunks.remove(head)) {
          PacketArrays.giveBack(head.bytes);
        }
      } finally {
        lock.unlock();
      }
    }
    return count;
  }

  private @Nullable Chunk awaitHead() throws IOException {
    lock.lock();
    try {
      while (true) {
        Chunk head = chunks.peek();
        if (head != null) {
          head.refresh();
          return head;
        }
        if (failure != null) {
          throw Failures.here(failure);
        }
        if (ended) {
          return null;
        }
        changed.await();
      }
    } catch (InterruptedException e) {
      throw interrupted();
    } finally {
      lock.unlock();
    }
  }

  private @Nullable Chunk peek() {
    lock.lock();
    try {
      Chunk head = chunks.peek();
      if (head != null) {
        head.refresh();
      }
      return head;
    } finally {
      lock.unlock();
    }
  }

  /**
   * Accounts for taken bytes. The window of a stream that is read as fast as it fills grows, so
   * that a long way to the peer does not slow it down; one that nobody reads stays small. A wide
   * one shrinks again when others need the room, or when its reader falls behind: what was taken is
   * then not granted anew.
   *
   * @return by how much to widen the peer's window now; 0 for not yet
   */
  long release(int count) {
    lock.lock();
    try {
      taken += count;
      takenInAll += count;
      if (taken < size / 8 || ended || failure != null) {
        return 0;
      }
      if (size > enough()) {
        long back = Math.min(taken, size - enough());
        budget.end(back);
        size -= back;
        taken -= back;
      } else if (takenInAll >= size && chunks.isEmpty()) {
        long now = nanoTime.getAsLong();
        if (size < WIDE || (now - since) / 1_000_000 > takenInAll / FAST) {
          long more = budget.widen(size);
          size += more;
          taken += more;
        }
        takenInAll = 0;
        since = now;
      }
      long grant = taken;
      taken = 0;
      window += grant;
      return grant;
    } finally {
      lock.unlock();
    }
  }

  /** How wide the window may stay; under the lock. */
  private long enough() {
    if (budget.isScarce()) {
      return ReceiveBudget.INITIAL;
    }
    long queued = size - window - taken;
    // If the reader is what limits it, a wide one only fills memory.
    return queued > size / 2 ? WIDE : size;
  }

  /** Received bytes; {@code end} is guarded by the queue's lock, the rest is the reader's. */
  private static final class Chunk {
    private final byte[] bytes;
    private int start;
    private int visibleEnd;
    private int end;

    Chunk(byte[] bytes, int end) {
      this.bytes = bytes;
      this.end = end;
    }

    boolean append(byte[] data, int offset, int length) {
      if (length > bytes.length - end) {
        return false;
      }
      System.arraycopy(data, offset, bytes, end, length);
      end += length;
      return true;
    }

    void refresh() {
      visibleEnd = end;
    }

    int copyTo(ByteBuffer dst) {
      int count = Math.min(dst.remaining(), visibleEnd - start);
      dst.put(bytes, start, count);
      start += count;
      return count;
    }

    /** Under the lock. */
    boolean isEmpty() {
      return start == end;
    }
  }
}
