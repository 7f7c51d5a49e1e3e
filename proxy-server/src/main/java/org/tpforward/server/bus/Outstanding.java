package org.tpforward.server.bus;

import java.io.IOException;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;
import org.tpforward.dbus.Header;
import org.tpforward.dbus.OpenCalls;
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

  private final OpenCalls<Call> calls;
  private final Consumer<Awaited> abandoned;

  /**
   * @param abandoned told of each call of which nothing will come
   */
  Outstanding(Consumer<Awaited> abandoned) {
    this.abandoned = abandoned;
    this.calls = new OpenCalls<>(call -> abandoned.accept(call.reply()));
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
    calls.add(header.serial(), new Call(header.destination(), reply));
  }

  /** The call with that serial; null if there is none. */
  @Nullable Call get(long serial) {
    return calls.get(serial);
  }

  /** Its reply has come. */
  void remove(long serial) {
    Call _ = calls.take(serial);
  }

  /** Abandons what is left, and whatever comes. */
  void close() {
    calls.close();
  }
}
