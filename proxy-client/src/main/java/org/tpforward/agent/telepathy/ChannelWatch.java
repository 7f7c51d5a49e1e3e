package org.tpforward.agent.telepathy;

import java.time.Duration;
import org.jspecify.annotations.Nullable;
import org.tpforward.dbus.Signal;
import org.tpforward.telepathy.Names;

/**
 * What is known of one file transfer's channel, from its signals. Signals come on the bus's reading
 * thread; any thread may wait.
 */
final class ChannelWatch implements Watch {
  private FileState state = FileState.NONE;
  private boolean stateSeen;
  private long initialOffset = -1;
  private @Nullable String lost; // the first reason: what follows follows from it
  private @Nullable Runnable onFailure;

  @Override
  public synchronized void on(Signal signal) {
    if (signal.is(FileState.INTERFACE, "FileTransferStateChanged")) {
      if (signal.body().size() == 2) {
        stateSeen = true;
        state(
            Properties.number(signal.body().getFirst(), 0),
            Properties.number(signal.body().get(1), 0));
      }
    } else if (signal.is(FileState.INTERFACE, "InitialOffsetDefined")) {
      if (!signal.body().isEmpty()) {
        initialOffset = Properties.number(signal.body().getFirst(), -1);
      }
    } else if (signal.is(Names.CHANNEL, "Closed")) {
      lost("the channel was closed before the transfer was complete");
    }
    changed();
  }

  private void state(long code, long reason) {
    // What is said after the end does not undo it.
    if (state.isEnd()) {
      return;
    }
    state = FileState.of(code);
    if (state == FileState.CANCELLED) {
      lost(FileState.reason(reason));
    }
  }

  /** What the channel's properties said when the watch began; a signal that came since is newer. */
  synchronized void initially(long code, long offset) {
    if (!stateSeen) {
      state(code, 0);
    }
    if (initialOffset < 0 && state.compareTo(FileState.OPEN) >= 0) {
      initialOffset = offset;
    }
    changed();
  }

  /**
   * Nothing will come of it: the channel, its connection manager or the bus is gone, or the user.
   */
  @Override
  public synchronized void lost(String why) {
    if (lost == null) {
      lost = why;
    }
    changed();
  }

  /** What to do, once, when the transfer can no longer succeed; must not block. */
  synchronized void onFailure(Runnable action) {
    onFailure = action;
    changed();
  }

  private void changed() {
    if (onFailure != null && failure() != null) {
      Runnable action = onFailure;
      onFailure = null;
      action.run();
    }
    notifyAll();
  }

  /** Why the transfer cannot succeed; null while it can, and after it has. */
  synchronized @Nullable String failure() {
    return state == FileState.COMPLETED ? null : lost;
  }

  synchronized FileState state() {
    return state;
  }

  /** Where the data begins, known once it is Open; -1 if the connection manager did not say. */
  synchronized long initialOffset() {
    return initialOffset;
  }

  /**
   * Waits, for as long as it takes, until the state is at least {@code wanted}.
   *
   * @throws TransferException if the transfer fails first
   */
  synchronized void await(FileState wanted) throws TransferException, InterruptedException {
    while (state.compareTo(wanted) < 0 || state == FileState.CANCELLED) {
      String failure = failure();
      if (failure != null) {
        throw new TransferException(failure);
      }
      wait();
    }
  }

  /** Waits until the transfer has ended, well or not, or the time is over. */
  synchronized void awaitEnd(Duration patience) throws InterruptedException {
    long end = System.nanoTime() + patience.toNanos();
    while (!state.isEnd() && lost == null) {
      long millis = (end - System.nanoTime() + 999_999) / 1_000_000;
      if (millis <= 0) {
        return;
      }
      wait(millis);
    }
  }
}
