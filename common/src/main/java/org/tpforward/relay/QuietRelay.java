package org.tpforward.relay;

import java.io.IOException;
import java.nio.ByteBuffer;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A relay of streams that are short or say little, without threads of its own: each direction is
 * moved on by the thread that notices that it can be read. What costs most in a short connection is
 * the hand-over from thread to thread, and here is none.
 *
 * <p>It knows the easy case only: little comes at a time, the other side takes it at once, and both
 * directions end in order. In any other case it hands over to a {@link Relay}, for good: that one
 * reads on where this one stopped, meets the same end or failure again, and deals with it.
 */
public final class QuietRelay implements Flow {
  private static final Logger log = LoggerFactory.getLogger(QuietRelay.class);

  /** Who brings so much at once is better off with a thread. Bytes. */
  private static final int MUCH = PumpBuffer.SMALL;

  /** For the few threads that notice; none of them keeps anything in it. */
  private static final ThreadLocal<ByteBuffer> BUFFER =
      ThreadLocal.withInitial(() -> ByteBuffer.allocateDirect(MUCH));

  private final String name;
  private final Eventful near;
  private final Eventful far;
  private final EventLoop loop;
  private final Relay.Hooks hooks;
  private final Way fromNear;
  private final Way fromFar;

  /** Guards what follows, and the flags of both ways. */
  private final Object lock = new Object();

  private boolean over;
  private boolean handsOver;
  private boolean handedOver;
  private @Nullable String aborted;

  /** Guards the beginning of {@link #relay}, which may be over before it is known here. */
  private final Object starting = new Object();

  private @Nullable Relay relay;

  /**
   * A relay of these two streams, if they can do without threads; null otherwise. It owns both from
   * {@link #begin} on.
   *
   * @param hooks here {@link Relay.Hooks#atEof} must not wait, and may be called twice for an end
   */
  public static @Nullable QuietRelay of(String name, Duplex near, Duplex far, Relay.Hooks hooks) {
    if (near instanceof Eventful watchedNear
        && watchedNear.canBeWatched()
        && far instanceof Eventful watchedFar
        && watchedFar.canBeWatched()) {
      EventLoop loop = watchedFar.loop();
      return loop == null ? null : new QuietRelay(name, watchedNear, watchedFar, loop, hooks);
    }
    return null;
  }

  QuietRelay(String name, Eventful near, Eventful far, EventLoop loop, Relay.Hooks hooks) {
    this.name = name;
    this.loop = loop;
    this.near = near;
    this.far = far;
    this.hooks = hooks;
    this.fromNear = new Way(Relay.Side.NEAR, near, far);
    this.fromFar = new Way(Relay.Side.FAR, far, near);
  }

  /** Moves what is there, and whatever comes. Does not wait. */
  public void begin() {
    try {
      near.watch(loop, fromNear);
      far.watch(loop, fromFar);
    } catch (IOException e) {
      log.debug("{}: cannot be watched: {}", name, e.toString());
      handOver();
    }
  }

  @Override
  public long bytesFromNear() {
    Relay busy = relay();
    return fromNear.bytes + (busy == null ? 0 : busy.bytesFromNear());
  }

  @Override
  public long bytesFromFar() {
    Relay busy = relay();
    return fromFar.bytes + (busy == null ? 0 : busy.bytesFromFar());
  }

  @Override
  public void abort(String why) {
    synchronized (lock) {
      if (over) {
        return;
      }
      if (aborted == null) {
        aborted = why;
      }
    }
    Relay busy = relay();
    if (busy != null) {
      busy.abort(why);
    } else {
      handOver();
    }
  }

  /** The relay that it has handed over to; null as long as it is quiet. */
  @Nullable Relay relay() {
    synchronized (starting) {
      return relay;
    }
  }

  private void handOver() {
    synchronized (lock) {
      handsOver = true;
      if (!isHandOverDue()) {
        return; // It is over, or who runs sees to it.
      }
    }
    startRelay();
  }

  /** Whether the caller must start the relay now, that is, is the one to do so; under the lock. */
  private boolean isHandOverDue() {
    if (!handsOver || handedOver || over || fromNear.running || fromFar.running) {
      return false;
    }
    handedOver = true;
    return true;
  }

  private void startRelay() {
    far.unwatch();
    try {
      near.toBlocking();
      far.toBlocking();
    } catch (IOException e) {
      log.debug("{}: {}", name, e.toString()); // It is closed, as the relay will see.
    }
    Relay started;
    synchronized (starting) {
      started = Relay.start(name, fromNear.rest(), fromFar.rest(), hooks);
      relay = started;
    }
    String why;
    synchronized (lock) {
      why = aborted;
    }
    if (why != null) {
      started.abort(why);
    }
  }

  private void finish() {
    try {
      near.close();
      far.close();
      hooks.done();
    } catch (RuntimeException e) {
      log.error("{}: at its end", name, e);
    }
  }

  /** What came of moving. */
  private enum Outcome {
    /** Nothing is left to be moved now. */
    MOVED,
    ENDED,
    /** It is no easy case. */
    HARD
  }

  private final class Way implements Runnable {
    private final Relay.Side side;
    private final Eventful from;
    private final Eventful to;

    /** Written by the one thread that runs. */
    private volatile long bytes;

    private byte @Nullable [] unwritten;
    private @Nullable IOException failure;

    private boolean running;
    private boolean again;
    private boolean ended;

    Way(Relay.Side side, Eventful from, Eventful to) {
      this.side = side;
      this.from = from;
      this.to = to;
    }

    @Override
    public void run() {
      synchronized (lock) {
        if (running) {
          again = true;
          return;
        }
        if (handsOver || over || ended) {
          return;
        }
        running = true;
      }
      while (leave(move())) {
        // Something came meanwhile.
      }
    }

    /** Whether to move once more. */
    private boolean leave(Outcome outcome) {
      boolean last;
      synchronized (lock) {
        if (outcome == Outcome.MOVED && again && !handsOver) {
          again = false;
          return true;
        }
        running = false;
        ended |= outcome == Outcome.ENDED;
        handsOver |= outcome == Outcome.HARD;
        last = fromNear.ended && fromFar.ended;
        over |= last;
        if (!last && !isHandOverDue()) {
          return false;
        }
      }
      if (last) {
        finish();
      } else {
        startRelay();
      }
      return false;
    }

    private Outcome move() {
      try {
        while (true) {
          int room = to.roomNow();
          if (room <= 0) {
            return Outcome.HARD;
          }
          ByteBuffer buffer = BUFFER.get().clear().limit(Math.min(room, MUCH));
          int n = from.readNow(buffer);
          if (n < 0) {
            return end();
          }
          if (n > 0 && !write(buffer.flip())) {
            return Outcome.HARD;
          }
          if (n == MUCH) {
            return Outcome.HARD;
          }
          if (n == 0 || side == Relay.Side.NEAR) {
            // Sockets tell again of what is left in them; a channel does not.
            return Outcome.MOVED;
          }
        }
      } catch (IOException e) {
        failure = e;
        return Outcome.HARD;
      } catch (RuntimeException e) {
        log.error("{}: direction from {}", name, side, e);
        failure = new IOException(e.toString(), e);
        return Outcome.HARD;
      }
    }

    /** Whether all of it was written. */
    @SuppressWarnings("NonAtomicVolatileUpdate") // one writer
    private boolean write(ByteBuffer data) {
      int length = data.remaining();
      try {
        int written = to.writeNow(data);
        bytes += written;
        if (written == length) {
          return true;
        }
      } catch (IOException e) {
        log.debug("{}: {}", name, e.toString()); // The relay will meet it again.
      }
      unwritten = new byte[data.remaining()];
      data.get(unwritten);
      return false;
    }

    private Outcome end() {
      try {
        if (!hooks.atEof(side, bytes)) {
          return Outcome.HARD;
        }
        from.unwatch();
        to.shutdownOutput();
        return Outcome.ENDED;
      } catch (IOException | InterruptedException e) {
        log.debug("{}: {}", name, e.toString());
        return Outcome.HARD;
      }
    }

    /** The stream that this way reads, for who goes on with it. */
    Duplex rest() {
      return unwritten == null && failure == null
          ? from
          : new Resumed(from, unwritten == null ? null : ByteBuffer.wrap(unwritten), failure);
    }
  }

  @Override
  public String toString() {
    return name;
  }
}
