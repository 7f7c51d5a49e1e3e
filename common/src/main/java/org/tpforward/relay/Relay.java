package org.tpforward.relay;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.Semaphore;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Pumps two streams into each other, each direction on a thread of its own, which writes all that
 * it has read before it reads again: that is the back-pressure. A direction begins on a virtual
 * thread, if its streams allow that, and is on a platform thread while it is busy. The relay owns
 * both streams from {@link #start} on. How it ends:
 *
 * <ul>
 *   <li>A direction that ends in order is passed on as a half-close, if the hook says so; the other
 *       one goes on. When both have ended, both streams are closed.
 *   <li>A stream that cannot be <em>read</em> any more is reset at once, and the other one when the
 *       hook {@link Hooks#atFailure} returns.
 *   <li>A stream that cannot be <em>written</em> any more may still have last words for the other
 *       (a service that answers, and closes before it has read everything): they are brought to
 *       their end first. Then both are reset, so that nobody takes the cut direction for complete.
 * </ul>
 */
public final class Relay implements Flow {
  /** What a user of the relay decides when a direction ends. Called on that direction's thread. */
  public interface Hooks {
    /**
     * {@code from} has ended in order after {@code bytes}, all of which are written. May block, and
     * is interrupted when the relay breaks off meanwhile.
     *
     * @return whether the end may be shown to the other side; otherwise the relay breaks off
     */
    default boolean atEof(Side from, long bytes) throws InterruptedException {
      return true;
    }

    /**
     * {@code broken} cannot be read or written any more. May block: the reset of the other stream,
     * which on a Unix socket looks like an end in order, waits for it. Interrupted by {@link
     * #abort}. Called once at most.
     */
    default void atFailure(Side broken, IOException failure) throws InterruptedException {}

    /** Both streams are closed. Called once. */
    void done();
  }

  /** The two ends, from where the relay stands. */
  public enum Side {
    NEAR,
    FAR;

    Side other() {
      return this == NEAR ? FAR : NEAR;
    }
  }

  private static final Logger log = LoggerFactory.getLogger(Relay.class);

  /** After so many reads a direction is busy, though each of them brought little. */
  private static final int BUSY = 32;

  /** When nothing came for so long a direction is idle. */
  private static final int IDLE_MILLIS = 1000;

  /** How many directions may keep a platform thread for a read that may wait for ever. */
  private static final Semaphore SEATS = new Semaphore(64);

  private final String name;
  private final Duplex near;
  private final Duplex far;
  private final Hooks hooks;
  private final Direction fromNear;
  private final Direction fromFar;
  private final CountDownLatch over = new CountDownLatch(1);

  /** Guards the four fields below, and every direction's {@code inHook}. */
  private final Object lock = new Object();

  private int running = 2;
  private boolean broken;
  private boolean failing;
  private @Nullable String reason;

  private Relay(String name, Duplex near, Duplex far, Hooks hooks) {
    this.name = name;
    this.near = near;
    this.far = far;
    this.hooks = hooks;
    this.fromNear = new Direction(Side.NEAR, near, far);
    this.fromFar = new Direction(Side.FAR, far, near);
  }

  /**
   * Starts both directions. If the system gives no more threads, the relay that is returned has
   * broken off already, and {@link Hooks#done} was called.
   *
   * @param name the threads'
   */
  public static Relay start(String name, Duplex near, Duplex far, Hooks hooks) {
    return start(name, near, far, hooks, mayWait(near, far) ? Threads::waiting : Threads::run);
  }

  /** Whether virtual threads may pump these two. */
  private static boolean mayWait(Duplex near, Duplex far) {
    return near.suitsVirtualThreads() && far.suitsVirtualThreads();
  }

  /** How a direction gets its thread; throws OutOfMemoryError where there is none, as the JDK. */
  interface Starter {
    void start(String name, Runnable task);
  }

  static Relay start(String name, Duplex near, Duplex far, Hooks hooks, Starter threads) {
    Relay relay = new Relay(name, near, far, hooks);
    int missing = 2;
    try {
      threads.start(name + " out", relay.fromNear);
      missing--;
      threads.start(name + " in", relay.fromFar);
    } catch (OutOfMemoryError e) {
      // The JVM's word for a system that gives no more threads; of memory there is enough.
      log.warn("no thread for {}: {}", name, e.getMessage());
      relay.breakOff("no thread");
      for (int i = 0; i < missing; i++) {
        relay.leave();
      }
    }
    return relay;
  }

  @Override
  public long bytesFromNear() {
    return fromNear.bytes;
  }

  @Override
  public long bytesFromFar() {
    return fromFar.bytes;
  }

  /** Why the relay broke off, if it did. */
  public @Nullable String reason() {
    synchronized (lock) {
      return reason;
    }
  }

  /** Whether both streams are closed. */
  public boolean isOver() {
    return over.getCount() == 0;
  }

  /** Waits until both streams are closed and {@link Hooks#done} has returned. */
  public void await() throws InterruptedException {
    over.await();
  }

  @Override
  public void abort(String why) {
    breakOff(why);
  }

  private void breakOff(String why) {
    synchronized (lock) {
      if (!broken) {
        broken = true;
        reason = why;
      }
    }
    near.reset();
    far.reset();
    synchronized (lock) {
      fromNear.interruptHook();
      fromFar.interruptHook();
    }
  }

  /** A direction is over; the last one closes the streams. */
  private void leave() {
    synchronized (lock) {
      if (--running > 0) {
        return;
      }
    }
    Direction cut = fromNear.cut != null ? fromNear : fromFar;
    if (cut.cut != null) {
      cut.failed(cut.side.other(), cut.cut);
    }
    try {
      near.close();
      far.close();
      hooks.done();
    } catch (RuntimeException e) {
      log.error("{}: at its end", name, e);
    } finally {
      over.countDown();
    }
  }

  private final class Direction implements Runnable, Duplex.Receiver {
    private final Side side;
    private final Duplex from;
    private final Duplex to;

    /** Written by this direction's thread, or for it while it waits. */
    private volatile long bytes;

    /** Why {@link #to} could not be written: no matter until the other direction has ended too. */
    private volatile @Nullable IOException cut;

    private @Nullable Thread inHook;

    /** Whether it holds one of {@link #SEATS}; of its thread only, one after the other. */
    private boolean seated;

    Direction(Side side, Duplex from, Duplex to) {
      this.side = side;
      this.from = from;
      this.to = to;
    }

    /** Has a virtual thread go on; false if that cannot be. */
    private boolean waits() {
      if (mayWait(from, to)) {
        Threads.waiting(threadName(), this);
        return true;
      }
      return false;
    }

    /** Has a platform thread go on; false if there is none. */
    private boolean moves() {
      try {
        Threads.run(threadName(), this);
        return true;
      } catch (OutOfMemoryError e) {
        return false;
      }
    }

    private String threadName() {
      return name + (side == Side.NEAR ? " out" : " in");
    }

    @Override
    public void run() {
      boolean goesOn = false;
      try (PumpBuffer buffer = new PumpBuffer()) {
        goesOn = Thread.currentThread().isVirtual() ? waitAndCopy(buffer) : copy(buffer);
      } catch (RuntimeException | Error e) {
        log.error("{}: direction from {}", name, side, e);
        breakOff(e.toString());
      } finally {
        if (!goesOn) {
          if (seated) {
            seated = false;
            SEATS.release();
          }
          leave();
        }
      }
    }

    /** On a virtual thread, until this direction is busy; whether a platform thread goes on. */
    private boolean waitAndCopy(PumpBuffer buffer) {
      for (int reads = 1; ; reads++) {
        if (from.canAwait()) {
          buffer.giveBack();
        }
        int count = copyOnce(buffer, 0);
        if (count < 0) {
          return false;
        }
        boolean much = buffer.adapt(count);
        if ((much || (reads >= BUSY && maySit())) && moves()) {
          return true;
        }
      }
    }

    /** On a platform thread, until this direction is idle; whether a virtual thread goes on. */
    private boolean copy(PumpBuffer buffer) {
      int little = 0;
      while (true) {
        int count = copyOnce(buffer, IDLE_MILLIS);
        if (count < 0) {
          return false;
        }
        boolean much = buffer.adapt(count);
        little = much ? 0 : little + 1;
        boolean idle = count == 0 || (little > BUSY && !maySit());
        if (idle && waits()) {
          return true;
        }
      }
    }

    /**
     * Whether it may stay on a platform thread though little comes. Who can await leaves it when
     * nothing comes; the others would block it for as long as their stream lives, so that there is
     * only a number of seats for them.
     */
    private boolean maySit() {
      if (!from.canAwait() && !seated) {
        seated = SEATS.tryAcquire();
      }
      return from.canAwait() || seated;
    }

    /**
     * Copies what comes next.
     *
     * @param millis how long to wait for it, where that can be bounded
     * @return how much; 0 if nothing came; -1 if this direction is over, and has been dealt with
     */
    private int copyOnce(PumpBuffer buffer, long millis) {
      ByteBuffer data;
      int n;
      try {
        if (!from.awaitReadable(millis, this)) {
          return 0;
        }
        data = buffer.clear();
        n = from.read(data);
      } catch (IOException e) {
        from.reset();
        failed(side, e);
        return -1;
      }
      if (n < 0) {
        ended();
        return -1;
      }
      try {
        to.write(data.flip());
      } catch (IOException e) {
        cut = e;
        return -1;
      }
      count(n);
      return n;
    }

    /** What came while this direction waited, from the thread that received it. */
    @Override
    public int receive(byte[] received, int offset, int length) {
      int n = to.writeNow(received, offset, length);
      count(n);
      return n;
    }

    @SuppressWarnings("NonAtomicVolatileUpdate") // one writer at a time
    private void count(int n) {
      bytes += n;
    }

    private void ended() {
      boolean earned;
      try {
        earned = inHook(() -> hooks.atEof(side, bytes));
      } catch (InterruptedException e) {
        breakOff("interrupted");
        return;
      }
      if (!earned) {
        breakOff("its end was not earned");
        return;
      }
      try {
        to.shutdownOutput();
      } catch (IOException e) {
        cut = e;
      }
    }

    /** Asks the hook, if nothing has ended the relay before, and breaks off. */
    void failed(Side where, IOException failure) {
      boolean first;
      synchronized (lock) {
        first = !broken && !failing;
        failing = true;
      }
      if (first) {
        try {
          inHook(() -> {
            hooks.atFailure(where, failure);
            return true;
          });
        } catch (InterruptedException e) {
          log.debug("{}: no need to wait any more", name);
        } catch (RuntimeException e) {
          log.error("{}: at a failure", name, e);
        }
      }
      // If it is not the first, the other stream has broken too: nobody is left to wait for.
      breakOff(String.valueOf(failure.getMessage()));
    }

    /**
     * Calls a hook so that {@link #breakOff} can interrupt it. Only there: an interrupt that hits a
     * thread in a stream would close the JDK's channels beneath, and beneath an SSH channel lies
     * the connection of all.
     */
    private <T> T inHook(Hook<T> hook) throws InterruptedException {
      synchronized (lock) {
        if (broken) {
          throw new InterruptedException("broken off");
        }
        inHook = Thread.currentThread();
      }
      try {
        return hook.call();
      } finally {
        synchronized (lock) {
          inHook = null;
          Thread.interrupted(); // one that came too late for the hook
        }
      }
    }

    void interruptHook() {
      if (inHook != null) {
        inHook.interrupt();
      }
    }
  }

  /** A call of one of the hooks. */
  @FunctionalInterface
  private interface Hook<T> {
    T call() throws InterruptedException;
  }

  @Override
  public String toString() {
    return name;
  }
}
