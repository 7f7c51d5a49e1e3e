package org.tpforward.agent.bus;

import java.io.IOException;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;
import org.tpforward.dbus.Header;
import org.tpforward.dbus.OpenCalls;
import org.tpforward.dbus.ProtocolException;

/**
 * The calls of one client whose replies matter, by serial; each reply is taken once. Whatever is
 * not kept here, or not taken before the end, is abandoned. Thread-safe.
 */
final class AwaitedReplies {
  /** How many may be under way: a client of good will has a few. */
  static final int MAX = 4096;

  /**
   * One call.
   *
   * @param destination as the client wrote it
   * @param owner whose unique name that was when the call went out, or null where nobody's
   */
  record Call(Awaited reply, String destination, @Nullable String owner) {
    /** Whether {@code sender} is who was called. */
    boolean isAnswerOf(@Nullable String sender) {
      return owner == null || owner.equals(sender);
    }

    /** Whether the destination cannot have changed hands since. */
    boolean isBound() {
      return destination.equals(owner);
    }
  }

  private final OpenCalls<Call> calls;
  private final Consumer<Awaited> abandoned;

  /**
   * For one client.
   *
   * @param abandoned told of each call of which nothing will come
   */
  AwaitedReplies(Consumer<Awaited> abandoned) {
    this.abandoned = abandoned;
    this.calls = new OpenCalls<>(call -> abandoned.accept(call.reply()));
  }

  boolean isEmpty() {
    return calls.size() == 0;
  }

  /**
   * Remembers a call; one that wants no reply needs no memory.
   *
   * @return false if there was no room, and the call is abandoned
   * @throws ProtocolException if the client uses a serial again before the reply has come
   * @throws IOException if the client is gone
   */
  boolean add(Header header, Call call) throws IOException {
    if (header.noReplyExpected()) {
      return true;
    }
    if (calls.size() >= MAX) {
      abandoned.accept(call.reply());
      return false;
    }
    calls.add(header.serial(), call);
    return true;
  }

  /** The call with that serial, which is forgotten with this; null if nobody asked. */
  @Nullable Call take(long serial) {
    return calls.take(serial);
  }

  /** Abandons what is left, and whatever comes. */
  void close() {
    calls.close();
  }
}
