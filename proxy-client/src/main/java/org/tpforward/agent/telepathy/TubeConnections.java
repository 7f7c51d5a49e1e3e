package org.tpforward.agent.telepathy;

import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.tpforward.relay.Relay;
import org.tpforward.relay.Threads;
import org.tpforward.socket.AllowedUids;
import org.tpforward.socket.Connection;
import org.tpforward.socket.Listener;
import org.tpforward.socket.PeerCredentials;

/**
 * The connections of one tube: for each that comes to the listener another one is dialled, and the
 * two are pumped into each other. A connection has a thread until it is through, then the relay's
 * two.
 */
final class TubeConnections {
  /** At once; further ones wait in the listener's backlog. */
  static final int MAX = 1024;

  private static final Logger log = LoggerFactory.getLogger(TubeConnections.class);

  /** How long a connection of a tube that has ended may stand still. */
  private static final Duration STANDSTILL = Duration.ofSeconds(5);

  /** For connections that were broken off to say so. One that is being dialled may take longer. */
  private static final Duration LAST_WORDS = Duration.ofSeconds(1);

  /** Different reasons for a refusal that are told, each once: a stranger may try for ever. */
  private static final int MAX_REFUSALS = 64;

  private static final long PAUSE_MILLIS = 100;

  /** Lets a connection in. */
  @FunctionalInterface
  interface Gate {
    /**
     * Checks who it is, and takes what comes before the stream.
     *
     * @throws IOException saying why not; the connection is closed by the caller
     */
    void admit(Connection connection) throws IOException;

    /** Lets those in whom the kernel names as one of the allowed users, before a byte is read. */
    static Gate only(AllowedUids allowed) {
      return connection -> {
        PeerCredentials peer = PeerCredentials.of(connection);
        if (!allowed.allows(peer)) {
          throw new IOException("a connection of " + peer + " was refused");
        }
      };
    }
  }

  /** Makes the other half of a connection. */
  @FunctionalInterface
  interface Far {
    /**
     * Connects; may block.
     *
     * @param number of the connection, from 1 on
     */
    Connection dial(int number) throws IOException;
  }

  /** What carries the tube's streams. */
  @FunctionalInterface
  interface Carrier {
    /**
     * Asked when a stream has ended at the tube's side: on a Unix socket the loss of what carries
     * it looks like an end in order. May block for a round trip; is interrupted by {@link #abort}.
     *
     * @return why it carries nothing any more; null if it was there after the end
     */
    @Nullable String loss();
  }

  /** Which side of the relay is the tube. */
  enum Side {
    /** The listener's: this end offers. */
    NEAR,
    /** The dialled one: this end has accepted. */
    FAR
  }

  private final Listener listener;
  private final Gate gate;
  private final Far far;
  private final Carrier carrier;
  private final Side tube;
  private final TubeReport report;
  private final Semaphore places = new Semaphore(MAX);
  private final Map<Connection, Through> active = new HashMap<>(); // guarded by this
  private final Set<String> refusals = new HashSet<>(); // guarded by this
  private int last; // guarded by this
  private @Nullable String aborted; // guarded by this

  /** A connection, with its relay once there is one. */
  private static final class Through {
    @Nullable Relay relay; // guarded by the TubeConnections
  }

  /**
   * @param listener closed by {@link #abort} and {@link #drain}, unless the caller does before
   */
  TubeConnections(
      Listener listener, Gate gate, Far far, Carrier carrier, Side tube, TubeReport report) {
    this.listener = listener;
    this.gate = gate;
    this.far = far;
    this.carrier = carrier;
    this.tube = tube;
    this.report = report;
  }

  /** Begins to accept. */
  void start() {
    Threads.start("tube listener", this::acceptAll);
  }

  private void acceptAll() {
    try {
      while (listener.isOpen()) {
        places.acquire();
        boolean taken = false;
        try {
          taken = acceptOne();
        } finally {
          if (!taken) {
            places.release();
          }
        }
      }
    } catch (InterruptedException e) {
      // Never: nobody has this thread.
    }
  }

  private boolean acceptOne() throws InterruptedException {
    Connection near;
    try {
      near = listener.accept();
    } catch (IOException e) {
      if (listener.isOpen()) {
        refused(listener.endpoint() + ": " + e.getMessage());
        TimeUnit.MILLISECONDS.sleep(PAUSE_MILLIS);
      }
      return false;
    }
    if (!add(near)) {
      near.reset();
      return false;
    }
    try {
      Threads.start("tube connection", () -> begin(near));
      return true;
    } catch (OutOfMemoryError e) {
      // The JVM's word for a system that gives no more threads.
      refused("no thread for a connection: " + e.getMessage());
      near.reset();
      remove(near);
      return false;
    }
  }

  private synchronized boolean add(Connection near) {
    if (aborted != null) {
      return false;
    }
    active.put(near, new Through());
    return true;
  }

  private synchronized void remove(Connection near) {
    active.remove(near);
    notifyAll();
  }

  private void done(Connection near) {
    remove(near);
    places.release();
  }

  private void begin(Connection near) {
    boolean through = false;
    try {
      gate.admit(near);
      int number = next();
      through = connect(near, number);
    } catch (IOException | RuntimeException e) {
      refused(e.getMessage() == null ? e.toString() : e.getMessage());
    } finally {
      if (!through) {
        near.reset();
        done(near);
      }
    }
  }

  private synchronized int next() {
    return ++last;
  }

  private boolean connect(Connection near, int number) throws IOException {
    Connection dialled;
    try {
      dialled = far.dial(number);
    } catch (IOException e) {
      report.refused("connection " + number + " did not get through: " + reason(e));
      return false;
    }
    Ending ending = new Ending(near, number);
    Relay relay;
    synchronized (this) {
      if (aborted != null) {
        dialled.reset();
        return false;
      }
      // Under the lock: who aborts finds the relay, which then ends for that reason.
      relay = Relay.start("tube #" + number, near, dialled, ending);
      Through through = active.get(near);
      if (through != null) {
        through.relay = relay;
      }
    }
    report.connected(number);
    ending.started(relay);
    return true;
  }

  private static String reason(IOException e) {
    return e.getMessage() == null ? e.toString() : e.getMessage();
  }

  /** Tells the end of one connection. The relay may be over before it is known here. */
  private final class Ending implements Relay.Hooks {
    private final Connection near;
    private final int number;
    private @Nullable Relay relay; // guarded by this
    private boolean over; // guarded by this

    Ending(Connection near, int number) {
      this.near = near;
      this.number = number;
    }

    synchronized void started(Relay started) {
      relay = started;
      if (over) {
        tell(started);
      }
    }

    @Override
    public boolean atEof(Relay.Side from, long bytes) {
      if ((from == Relay.Side.NEAR) != (tube == Side.NEAR)) {
        return true;
      }
      String loss = carrier.loss();
      if (loss == null) {
        return true;
      }
      abort(loss);
      return false;
    }

    @Override
    public synchronized void done() {
      over = true;
      if (relay != null) {
        tell(relay);
      }
    }

    private void tell(Relay ended) {
      long fromNear = ended.bytesFromNear();
      long fromFar = ended.bytesFromFar();
      report.ended(
          number,
          tube == Side.NEAR ? fromNear : fromFar,
          tube == Side.NEAR ? fromFar : fromNear,
          ended.reason());
      TubeConnections.this.done(near);
    }
  }

  private void refused(String line) {
    synchronized (this) {
      if (aborted != null || refusals.size() >= MAX_REFUSALS || !refusals.add(line)) {
        log.debug("{}: {}", listener, line);
        return;
      }
    }
    report.refused(line);
  }

  /** Ends the listener, and all connections at once. Any thread. */
  void abort(String why) {
    listener.close();
    List<Relay> relays = new ArrayList<>();
    List<Connection> alone = new ArrayList<>();
    synchronized (this) {
      if (aborted == null) {
        aborted = why;
      }
      active.forEach((near, through) -> {
        if (through.relay != null) {
          relays.add(through.relay);
        } else {
          alone.add(near);
        }
      });
    }
    relays.forEach(relay -> relay.abort(why));
    alone.forEach(Connection::reset);
  }

  /**
   * Ends the listener, and waits until each connection has ended by itself: what is still under way
   * arrives. Those that stand still are broken off.
   */
  void drain(String why) throws InterruptedException {
    listener.close();
    long moved = -1;
    long deadline = 0;
    while (true) {
      synchronized (this) {
        long now = System.nanoTime();
        long bytes = bytes();
        if (bytes != moved) {
          moved = bytes;
          deadline = now + STANDSTILL.toNanos();
        }
        if (active.isEmpty()) {
          return;
        }
        if (now < deadline) {
          wait(PAUSE_MILLIS);
          continue;
        }
      }
      abort(why);
      awaitAborted();
      return;
    }
  }

  private long bytes() {
    long sum = 0;
    for (Through through : active.values()) {
      if (through.relay != null) {
        sum += through.relay.bytesFromNear() + through.relay.bytesFromFar();
      }
    }
    return sum;
  }

  /** Waits, for a bounded time, until no connection is left after {@link #abort}. */
  synchronized void awaitAborted() throws InterruptedException {
    long deadline = System.nanoTime() + LAST_WORDS.toNanos();
    while (!active.isEmpty() && System.nanoTime() < deadline) {
      wait(PAUSE_MILLIS);
    }
  }
}
