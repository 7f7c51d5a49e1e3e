package org.tpforward.agent.telepathy;

import org.jspecify.annotations.Nullable;
import org.tpforward.dbus.Signal;
import org.tpforward.telepathy.Names;

/**
 * What is known of one tube's channel, from its signals. Signals come on the bus's reading thread;
 * any thread may wait.
 */
final class TubeWatch implements Watch {
  private TubeState state = TubeState.UNKNOWN;
  private boolean opened;
  private @Nullable End end; // the first: what follows follows from it

  /**
   * How a tube ended.
   *
   * @param line for the user
   * @param inOrder whether somebody has closed it, rather than that something was lost
   */
  record End(String line, boolean inOrder) {}

  @Override
  public synchronized void on(Signal signal) {
    if (signal.is(TubeState.INTERFACE, "TubeChannelStateChanged") && !signal.body().isEmpty()) {
      state(TubeState.of(Properties.number(signal.body().getFirst(), -1)));
    } else if (signal.is(Names.CHANNEL, "Closed")) {
      end(new End("the tube was closed", true));
    }
  }

  /** What the property said when the watch began; a signal that came since is newer. */
  synchronized void initially(TubeState read) {
    if (state == TubeState.UNKNOWN) {
      state(read);
    }
  }

  private void state(TubeState now) {
    state = now;
    opened |= now == TubeState.OPEN;
    notifyAll();
  }

  @Override
  public synchronized void lost(String why) {
    end(new End(why, false));
  }

  /** The user wants no more of it. */
  synchronized void interrupt() {
    end(new End("interrupted", true));
  }

  private void end(End how) {
    if (end == null) {
      end = how;
    }
    notifyAll();
  }

  synchronized TubeState state() {
    return state;
  }

  /**
   * Waits, for as long as it takes, until the tube is open.
   *
   * @throws TransferException if it ends first
   */
  synchronized void awaitOpen() throws TransferException, InterruptedException {
    while (!opened) {
      if (end != null) {
        throw new TransferException(end.line());
      }
      wait();
    }
  }

  /** Waits for its end. */
  synchronized End awaitEnd() throws InterruptedException {
    while (end == null) {
      wait();
    }
    return end;
  }
}
