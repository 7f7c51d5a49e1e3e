package org.tpforward.relay;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import org.jspecify.annotations.Nullable;

/**
 * Pumps two streams into each other, each direction on a thread of its own.
 *
 * <p>A direction that ends in order is passed on as a half-close, and the other goes on. When both
 * have ended, both streams are closed. A direction that breaks ends everything: both streams are
 * reset. The relay owns both streams from {@link #start} on.
 */
public final class Relay {
  /** What a user of the relay decides when a direction ends. Called on that direction's thread. */
  public interface Hooks {
    /**
     * {@code from} has ended in order after {@code bytes}. May block.
     *
     * @return whether the end may be shown to the other side; otherwise the relay breaks off
     */
    default boolean atEof(Side from, long bytes) throws InterruptedException {
      return true;
    }

    /** {@code broken} cannot be read or written any more. May block: the reset waits for it. */
    default void atFailure(Side broken, IOException failure) throws InterruptedException {}

    /** Both streams are closed. */
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

  /** Bytes. Grows to this while reads fill it, from a size that a thousand idle relays can have. */
  private static final int MAX_BUFFER = 128 << 10;

  private static final int MIN_BUFFER = 8 << 10;

  private final Duplex near;
  private final Duplex far;
  private final Hooks hooks;
  private final AtomicInteger running = new AtomicInteger(2);
  private final AtomicBoolean broken = new AtomicBoolean();
  private final Direction fromNear;
  private final Direction fromFar;
  private volatile @Nullable String reason;

  private Relay(Duplex near, Duplex far, Hooks hooks) {
    this.near = near;
    this.far = far;
    this.hooks = hooks;
    this.fromNear = new Direction(Side.NEAR, near, far);
    this.fromFar = new Direction(Side.FAR, far, near);
  }

  /** Starts both directions; {@code name} is the threads'. */
  public static Relay start(String name, Duplex near, Duplex far, Hooks hooks) {
    Relay relay = new Relay(near, far, hooks);
    relay.fromNear.thread = Threads.start(name + " out", relay.fromNear);
    relay.fromFar.thread = Threads.start(name + " in", relay.fromFar);
    return relay;
  }

  /** Bytes that went from the near end to the far one. */
  public long bytesFromNear() {
    return fromNear.bytes;
  }

  /** Bytes that went from the far end to the near one. */
  public long bytesFromFar() {
    return fromFar.bytes;
  }

  /** Why the relay broke off, if it did. */
  public @Nullable String reason() {
    return reason;
  }

  /** Breaks off from any thread; a hook that waits is interrupted. */
  public void abort(String why) {
    breakOff(why);
    fromNear.interrupt();
    fromFar.interrupt();
  }

  private void breakOff(String why) {
    if (broken.compareAndSet(false, true)) {
      reason = why;
      near.reset();
      far.reset();
    }
  }

  private final class Direction implements Runnable {
    private final Side side;
    private final Duplex from;
    private final Duplex to;
    private volatile long bytes;
    private volatile @Nullable Thread thread;

    Direction(Side side, Duplex from, Duplex to) {
      this.side = side;
      this.from = from;
      this.to = to;
    }

    void interrupt() {
      Thread t = thread;
      if (t != null) {
        t.interrupt();
      }
    }

    @Override
    public void run() {
      try {
        copy();
        if (hooks.atEof(side, bytes)) {
          shutdown();
        } else {
          breakOff("its end was not earned");
        }
      } catch (Failure failure) {
        failed(failure);
      } catch (InterruptedException e) {
        breakOff("interrupted");
      } finally {
        if (running.decrementAndGet() == 0) {
          near.close();
          far.close();
          hooks.done();
        }
      }
    }

    private void failed(Failure failure) {
      try {
        if (!broken.get()) {
          hooks.atFailure(failure.side, failure.what);
        }
      } catch (InterruptedException e) {
        // Aborted meanwhile.
      }
      breakOff(String.valueOf(failure.what.getMessage()));
    }

    @SuppressWarnings("NonAtomicVolatileUpdate") // one writer
    private void copy() throws Failure {
      ByteBuffer buffer = ByteBuffer.allocateDirect(MIN_BUFFER);
      while (read(buffer) >= 0) {
        boolean full = !buffer.hasRemaining();
        buffer.flip();
        bytes += write(buffer);
        if (full && buffer.capacity() < MAX_BUFFER) {
          buffer = ByteBuffer.allocateDirect(buffer.capacity() * 4);
        }
        buffer.clear();
      }
    }

    private int read(ByteBuffer buffer) throws Failure {
      try {
        return from.read(buffer);
      } catch (IOException e) {
        throw new Failure(side, e);
      }
    }

    private int write(ByteBuffer buffer) throws Failure {
      try {
        return to.write(buffer);
      } catch (IOException e) {
        throw new Failure(side.other(), e);
      }
    }

    private void shutdown() throws Failure {
      try {
        to.shutdownOutput();
      } catch (IOException e) {
        throw new Failure(side.other(), e);
      }
    }
  }

  /** Which of the two streams broke: the one that was read, or the one that was written. */
  private static final class Failure extends Exception {
    private static final long serialVersionUID = 1L;

    private final Side side;
    private final IOException what;

    Failure(Side side, IOException what) {
      super(what);
      this.side = side;
      this.what = what;
    }
  }
}
