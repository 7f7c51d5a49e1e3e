package org.tpforward.agent.forward;

import com.google.errorprone.annotations.concurrent.GuardedBy;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.function.LongSupplier;
import org.tpforward.dbus.Value;

/**
 * Brings the connections to an offered tube together with their NewRemoteConnection signals, which
 * travel apart and arrive in any order. What both have is the key: the port from which the CM
 * connected, or its byte; under Localhost they have nothing, and the first comes with the first.
 *
 * <p>What finds no other half in time is forgotten: a port that was named once must not let in who
 * comes from it much later.
 *
 * <p>Thread-safe; nothing here blocks.
 */
final class ConnectionMatcher {
  /** How many of each kind are remembered; the oldest are forgotten first. */
  static final int MAX_WAITING = 1024;

  /** One connection of the tube. */
  static final class Arrival {
    private final Object key;
    private final long since;
    private final CompletableFuture<Long> named = new CompletableFuture<>();
    private final CompletableFuture<Value> parameter = new CompletableFuture<>();

    private Arrival(Object key, long since) {
      this.key = key;
      this.since = since;
    }

    /** Completes with the connection's id once a signal names it. */
    CompletableFuture<Long> named() {
      return named;
    }

    /**
     * To be completed with what NewRemoteConnection says of it on this side, or exceptionally where
     * nothing came of the connection.
     */
    CompletableFuture<Value> parameter() {
      return parameter;
    }
  }

  /** A signal whose connection has not come yet. */
  private record Name(Object key, long id, long since) {}

  /** What clients are told of a connection; they may ask before its signal has been seen here. */
  private static final class Answer {
    private final CompletableFuture<Value> parameter = new CompletableFuture<>();
    private boolean named;
  }

  private final long patience;
  private final LongSupplier clock;

  // The oldest first; short, as both halves come at about the same time.
  @GuardedBy("this")
  private final Deque<Arrival> unnamed = new ArrayDeque<>();

  @GuardedBy("this")
  private final Deque<Name> unclaimed = new ArrayDeque<>();

  @GuardedBy("this")
  private final Map<Long, Answer> answers =
      new LinkedHashMap<>() {
        private static final long serialVersionUID = 1L;

        @Override
        protected boolean removeEldestEntry(Map.Entry<Long, Answer> eldest) {
          return size() > MAX_WAITING;
        }
      };

  /**
   * For one tube.
   *
   * @param patience how long one half is remembered without the other
   * @param clock nanoseconds, as {@link System#nanoTime}
   */
  ConnectionMatcher(Duration patience, LongSupplier clock) {
    this.patience = patience.toNanos();
    this.clock = clock;
  }

  /** A connection came. */
  synchronized Arrival arrived(Object key) {
    long now = forgetOld();
    Arrival arrival = new Arrival(key, now);
    for (Iterator<Name> names = unclaimed.iterator(); names.hasNext(); ) {
      Name name = names.next();
      if (name.key.equals(key)) {
        names.remove();
        pair(arrival, name.id);
        return arrival;
      }
    }
    unnamed.add(arrival);
    if (unnamed.size() > MAX_WAITING) {
      unnamed.remove();
    }
    return arrival;
  }

  /** A connection that nobody has named ends: the next signal is not its. */
  synchronized void left(Arrival arrival) {
    unnamed.remove(arrival);
  }

  /** The CM's signal came, to the agent's own connection: once for each connection. */
  synchronized void named(Object key, long id) {
    long now = forgetOld();
    Answer known = answers.get(id);
    if (known == null || known.named) {
      // Another one of the same number: it is the CM's to use numbers again.
      answers.remove(id);
      known = new Answer();
      answers.put(id, known);
    }
    known.named = true;
    for (Iterator<Arrival> arrivals = unnamed.iterator(); arrivals.hasNext(); ) {
      Arrival arrival = arrivals.next();
      if (arrival.key.equals(key)) {
        arrivals.remove();
        pair(arrival, id);
        return;
      }
    }
    unclaimed.add(new Name(key, id, now));
    if (unclaimed.size() > MAX_WAITING) {
      unclaimed.remove();
    }
  }

  /** What clients are told of the connection with that id. */
  synchronized CompletableFuture<Value> parameter(long id) {
    return answers.computeIfAbsent(id, i -> new Answer()).parameter;
  }

  @GuardedBy("this")
  private void pair(Arrival arrival, long id) {
    arrival.named.complete(id);
    Answer answer = answers.get(id);
    if (answer != null) {
      var _ =
          arrival.parameter.whenComplete((value, failure) -> {
            if (failure == null) {
              answer.parameter.complete(value);
            } else {
              answer.parameter.completeExceptionally(failure);
            }
          });
    }
  }

  @GuardedBy("this")
  private long forgetOld() {
    long now = clock.getAsLong();
    while (!unnamed.isEmpty() && now - unnamed.peek().since > patience) {
      unnamed.remove();
    }
    while (!unclaimed.isEmpty() && now - unclaimed.peek().since > patience) {
      unclaimed.remove();
    }
    return now;
  }
}
