package org.tpforward.agent.forward;

import com.google.errorprone.annotations.concurrent.GuardedBy;
import java.util.function.BooleanSupplier;
import org.jspecify.annotations.Nullable;

/**
 * What the agent knows of one file transfer from the bus, and so whether the end of an incoming
 * file's bytes may be shown to its reader.
 *
 * <p>On a Unix socket a lost connection reads as EOF, just as a complete file does. So EOF has to
 * be earned: all of {@code Size - InitialOffset} bytes went through, or the CM said Completed. One
 * that is not earned is held back until the reader has been told by other means that its file is a
 * part only: Cancelled, Closed, the CM's or the bus's end has gone out on its bus connection.
 *
 * <p>Thread-safe. Bus threads report, one pump thread waits.
 */
public final class TransferState {
  /** {@code Size} of a file whose size the sender does not know. */
  public static final long UNKNOWN_SIZE = -1L;

  /** How often a reader who may have left is looked after: nothing reports that. */
  private static final long LOOK_MILLIS = 1000;

  private final long size;
  private final OffsetLookup lookup;
  private final long client;

  @GuardedBy("this")
  private @Nullable Long initialOffset;

  @GuardedBy("this")
  private boolean completed;

  @GuardedBy("this")
  private boolean told;

  /** Asks the CM for InitialOffset when its signal has not come (yet). */
  @FunctionalInterface
  public interface OffsetLookup {
    /** Blocks, bounded; the requested offset where the CM does not answer any more. */
    long initialOffset();
  }

  /**
   * @param size the channel's {@code Size} in bytes, or {@link #UNKNOWN_SIZE}
   * @param client the number of the bus client that accepted the file
   */
  public TransferState(long size, OffsetLookup lookup, long client) {
    this.size = size;
    this.lookup = lookup;
    this.client = client;
  }

  /** InitialOffsetDefined: where in the file the bytes begin. */
  synchronized void offsetDefined(long offset) {
    initialOffset = offset;
    notifyAll();
  }

  /** FileTransferStateChanged to Completed. */
  synchronized void completed() {
    completed = true;
    notifyAll();
  }

  /**
   * That client has been sent a message that says that the transfer, its channel or the bus has
   * ended; or it is not on the bus any more.
   */
  synchronized void told(long receiver) {
    if (receiver == client) {
      toldAll();
    }
  }

  /** Every client knows, or has had time enough to. */
  synchronized void toldAll() {
    told = true;
    notifyAll();
  }

  /**
   * Waits until the end of the bytes may be shown, or until the reader knows that they are a part.
   *
   * @param bytes how many went through to the reader
   * @param gone whether there is no reader any more; asked now and then
   * @return whether EOF is earned; otherwise the stream may be ended, but as a broken one
   */
  boolean awaitEarned(long bytes, BooleanSupplier gone) throws InterruptedException {
    if (size != UNKNOWN_SIZE && needsLookup(bytes)) {
      long offset = lookup.initialOffset();
      synchronized (this) {
        if (initialOffset == null) {
          initialOffset = offset;
        }
      }
    }
    while (true) {
      synchronized (this) {
        if (completed || isWhole(bytes)) {
          return true;
        }
        if (told) {
          return false;
        }
        wait(LOOK_MILLIS);
      }
      if (gone.getAsBoolean()) {
        return false;
      }
    }
  }

  /**
   * Waits until the reader knows that its transfer ended. Who reports that bounds it: soon after
   * the channel's, the CM's or the bus's end every reader counts as told.
   *
   * @param gone whether there is no reader any more; asked now and then
   */
  void awaitTold(BooleanSupplier gone) throws InterruptedException {
    do {
      synchronized (this) {
        if (told) {
          return;
        }
        wait(LOOK_MILLIS);
      }
    } while (!gone.getAsBoolean());
  }

  private synchronized boolean needsLookup(long bytes) {
    return initialOffset == null && !completed && !told && bytes <= size;
  }

  @GuardedBy("this")
  private boolean isWhole(long bytes) {
    return size != UNKNOWN_SIZE && initialOffset != null && bytes == size - initialOffset;
  }
}
