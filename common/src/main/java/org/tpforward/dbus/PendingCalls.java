package org.tpforward.dbus;

import java.io.IOException;
import java.net.SocketTimeoutException;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;

/** The calls of one connection that wait for their replies, by serial. */
final class PendingCalls {
  /** Hands a call over to be written. */
  interface Sending {
    /**
     * Hands it over, waiting for room if need be.
     *
     * @param nanos how long it may take
     * @return false if it took longer, and was not handed over
     */
    boolean send(long nanos) throws IOException, InterruptedException;
  }

  private record Reply(Header header, List<Value> body) {}

  private final Map<Long, CompletableFuture<Reply>> calls = new ConcurrentHashMap<>();
  private final Semaphore places;

  PendingCalls(int max) {
    places = new Semaphore(max);
  }

  /**
   * Sends a call once there is a place for it, and waits for the reply.
   *
   * @param what for the message if time runs out
   * @param sending runs after the call is known here, so no reply and no end can be missed
   * @return the reply's arguments
   */
  List<Value> exchange(long serial, String what, Duration timeout, Sending sending)
      throws IOException, DBusErrorException, InterruptedException {
    long deadline = System.nanoTime() + timeout.toNanos();
    if (!places.tryAcquire(timeout.toNanos(), TimeUnit.NANOSECONDS)) {
      throw late(what, timeout);
    }
    CompletableFuture<Reply> future = new CompletableFuture<>();
    try {
      calls.put(serial, future);
      if (!sending.send(deadline - System.nanoTime())) {
        throw late(what, timeout);
      }
      return result(future.get(deadline - System.nanoTime(), TimeUnit.NANOSECONDS));
    } catch (TimeoutException e) {
      throw late(what, timeout);
    } catch (ExecutionException e) {
      throw failure(e);
    } finally {
      calls.remove(serial);
      places.release();
    }
  }

  /** Whether a call waits for this METHOD_RETURN or ERROR. */
  boolean expects(Header reply) {
    return calls.containsKey(reply.replySerial());
  }

  /** Gives a METHOD_RETURN or ERROR to the call that waits for it, if one still does. */
  void complete(Header reply, List<Value> body) {
    CompletableFuture<Reply> call = calls.get(reply.replySerial());
    if (call != null) {
      call.complete(new Reply(reply, body));
    }
  }

  /** Fails the call that waits for this message, if it is a reply and one does. */
  void fail(Header reply, DBusErrorException reason) {
    CompletableFuture<Reply> call = calls.get(reply.replySerial());
    if (call != null && isReply(reply)) {
      call.completeExceptionally(reason);
    }
  }

  /** Fails all calls that wait now. */
  void failAll(IOException reason) {
    for (CompletableFuture<Reply> call : calls.values()) {
      call.completeExceptionally(reason);
    }
  }

  private static boolean isReply(Header header) {
    return header.type() == MessageType.METHOD_RETURN || header.type() == MessageType.ERROR;
  }

  private static List<Value> result(Reply reply) throws DBusErrorException {
    if (reply.header.type() != MessageType.ERROR) {
      return reply.body;
    }
    String text =
        !reply.body.isEmpty() && reply.body.getFirst() instanceof Value.Str(String s) ? s : "";
    throw new DBusErrorException(String.valueOf(reply.header.errorName()), text);
  }

  /** Exceptions of this thread's own, as those of the reading thread tell nothing of the caller. */
  private static IOException failure(ExecutionException e) throws DBusErrorException {
    return switch (e.getCause()) {
      case DBusErrorException error -> throw error;
      case IOException cause -> new IOException(cause.getMessage(), cause);
      case null, default -> throw new IllegalStateException(e);
    };
  }

  private static SocketTimeoutException late(String what, Duration timeout) {
    return new SocketTimeoutException(
        "no reply to " + what + " within " + timeout.toMillis() / 1000.0 + " s");
  }
}
