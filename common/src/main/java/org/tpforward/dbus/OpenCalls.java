package org.tpforward.dbus;

import java.io.IOException;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * What is remembered of one client's calls until their replies come, by serial. Each is taken once;
 * what is not taken before the end is abandoned. Thread-safe. How many there may be is for its user
 * to say.
 *
 * @param <C> what is remembered of a call
 */
public final class OpenCalls<C> {
  private final Map<Long, C> calls = new ConcurrentHashMap<>();
  private final Consumer<C> abandoned;
  private volatile boolean closed;

  /**
   * For one client.
   *
   * @param abandoned told of each call of which nothing will come; by any thread
   */
  public OpenCalls(Consumer<C> abandoned) {
    this.abandoned = abandoned;
  }

  /** How many calls wait for their replies. */
  public int size() {
    return calls.size();
  }

  /**
   * Remembers a call; one that is refused is abandoned.
   *
   * @throws ProtocolException if the client uses a serial again before the reply has come
   * @throws IOException if the client is gone
   */
  public void add(long serial, C call) throws IOException {
    if (calls.putIfAbsent(serial, call) != null) {
      abandoned.accept(call);
      throw new ProtocolException(
          "the client uses serial " + serial + " again before its reply has come");
    }
    if (closed && calls.remove(serial, call)) {
      abandoned.accept(call);
      throw new IOException("the client has left");
    }
  }

  /** The call with that serial; null if there is none. */
  public @Nullable C get(long serial) {
    return calls.get(serial);
  }

  /** The same, and it is forgotten with this. */
  public @Nullable C take(long serial) {
    return calls.remove(serial);
  }

  /** Abandons what is left, and whatever comes. */
  public void close() {
    closed = true;
    for (Long serial : List.copyOf(calls.keySet())) {
      C call = calls.remove(serial);
      if (call != null) {
        abandoned.accept(call);
      }
    }
  }
}
