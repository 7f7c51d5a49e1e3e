package org.tpforward.agent.forward;

import com.google.errorprone.annotations.concurrent.GuardedBy;
import java.util.ArrayDeque;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Queue;
import java.util.concurrent.CompletableFuture;
import org.jspecify.annotations.Nullable;
import org.tpforward.dbus.Value;

/**
 * Brings the connections to an offered tube together with their NewRemoteConnection signals, which
 * travel apart and arrive in any order. What both have is the key: the port from which the CM
 * connected, or its byte; under Localhost they have nothing, and the first comes with the first.
 *
 * <p>Thread-safe; nothing here blocks.
 */
final class ConnectionMatcher {
  /** How many of either are remembered while their other half is missing. */
  private static final int MAX_WAITING = 1024;

  /** One connection of the tube. */
  static final class Arrival {
    private final CompletableFuture<Long> named = new CompletableFuture<>();
    private final CompletableFuture<Value> parameter = new CompletableFuture<>();

    /** Completes with the connection's id once a signal names it. */
    CompletableFuture<Long> named() {
      return named;
    }

    /** To be completed with what NewRemoteConnection says of it on this side. */
    CompletableFuture<Value> parameter() {
      return parameter;
    }
  }

  @GuardedBy("this")
  private final Map<Object, Queue<Arrival>> unnamed = new HashMap<>();

  @GuardedBy("this")
  private final Map<Object, Queue<Long>> unclaimed = new HashMap<>();

  /** By id, what clients are told; the oldest is forgotten first. */
  @GuardedBy("this")
  private final Map<Long, CompletableFuture<Value>> told =
      new LinkedHashMap<>() {
        private static final long serialVersionUID = 1L;

        @Override
        protected boolean removeEldestEntry(Map.Entry<Long, CompletableFuture<Value>> eldest) {
          return size() > MAX_WAITING;
        }
      };

  @GuardedBy("this")
  private int waiting;

  /**
   * A connection came.
   *
   * @return null if too many wait for their signals
   */
  synchronized @Nullable Arrival arrived(Object key) {
    Arrival arrival = new Arrival();
    Queue<Long> ids = unclaimed.get(key);
    if (ids != null && !ids.isEmpty()) {
      long id = ids.remove();
      waiting--;
      pair(arrival, id);
      return arrival;
    }
    if (waiting >= MAX_WAITING) {
      return null;
    }
    waiting++;
    unnamed.computeIfAbsent(key, k -> new ArrayDeque<>()).add(arrival);
    return arrival;
  }

  /** A connection that nobody has named ends: the next signal is not its. */
  synchronized void left(Object key, Arrival arrival) {
    Queue<Arrival> queue = unnamed.get(key);
    if (queue != null && queue.remove(arrival)) {
      waiting--;
    }
  }

  /** A signal came. The same one may come any number of times, to each client and to the agent. */
  synchronized void named(Object key, long id) {
    if (told.containsKey(id)) {
      return;
    }
    told.put(id, new CompletableFuture<>());
    Queue<Arrival> queue = unnamed.get(key);
    if (queue != null && !queue.isEmpty()) {
      waiting--;
      pair(queue.remove(), id);
    } else if (waiting < MAX_WAITING) {
      waiting++;
      unclaimed.computeIfAbsent(key, k -> new ArrayDeque<>()).add(id);
    }
  }

  /** What clients are told of the connection with that id, which a signal has named before. */
  synchronized CompletableFuture<Value> parameter(long id) {
    return told.computeIfAbsent(id, i -> new CompletableFuture<>());
  }

  @GuardedBy("this")
  private void pair(Arrival arrival, long id) {
    arrival.named.complete(id);
    CompletableFuture<Value> answer = told.computeIfAbsent(id, i -> new CompletableFuture<>());
    var _ = arrival.parameter.thenAccept(answer::complete);
  }
}
