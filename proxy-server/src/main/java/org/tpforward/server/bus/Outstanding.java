package org.tpforward.server.bus;

import java.io.IOException;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;
import org.tpforward.dbus.Header;
import org.tpforward.dbus.ProtocolException;

/**
 * The calls of one client that wait for their replies, by serial: without one a reply does not
 * pass, and each passes once. Thread-safe.
 */
final class Outstanding {
  /** Thousands at once no client of good will has. */
  static final int MAX = 4096;

  /**
   * One call.
   *
   * @param destination as the client wrote it
   * @param reply what it will mean
   */
  record Call(@Nullable String destination, Awaited reply) {}

  private final Map<Long, Call> calls = new ConcurrentHashMap<>();
  private final Consumer<Awaited> abandoned;
  private volatile boolean closed;

  /**
   * @param abandoned told of each call of which nothing will come
   */
  Outstanding(Consumer<Awaited> abandoned) {
    this.abandoned = abandoned;
  }

  /** Whether there is no room for another one. */
  boolean isFull() {
    return calls.size() >= MAX;
  }

  /**
   * Remembers a call; one that wants no reply needs no memory.
   *
   * @throws ProtocolException if the client uses a serial again before the reply has come
   * @throws IOException if the client is gone
   */
  void add(Header header, Awaited reply) throws IOException {
    if (header.noReplyExpected()) {
      abandoned.accept(reply);
      return;
    }
    Call call = new Call(header.destination(), reply);
    if (calls.putIfAbsent(header.serial(), call) != null) {
      abandoned.accept(reply);
      throw new ProtocolException(
          "the client uses serial " + header.serial() + " again before its reply has come");
    }
    if (closed && calls.remove(header.serial(), call)) {
      abandoned.accept(reply);
      throw new IOException("the client has left");
    }
  }

  /** The call with that serial; null if there is none. */
  @Nullable Call get(long serial) {
    return calls.get(serial);
  }

  /** Its reply has come. */
  void remove(long serial) {
    calls.remove(serial);
  }

  /** Abandons what is left, and whatever comes. */
  void close() {
    closed = true;
    for (Long serial : List.copyOf(calls.keySet())) {
      Call call = calls.remove(serial);
      if (call != null) {
        abandoned.accept(call.reply());
      }
    }
  }
}
