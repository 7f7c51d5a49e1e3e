package org.tpforward.dbus;

import java.io.IOException;
import java.nio.channels.ByteChannel;
import java.time.Duration;
import java.util.concurrent.ScheduledFuture;
import java.util.concurrent.ScheduledThreadPoolExecutor;
import java.util.concurrent.ThreadFactory;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;

/**
 * Ends an exchange that takes too long by closing its channel, as that is what wakes a blocked
 * read. One daemon thread keeps the time for all; closing happens on threads of its own.
 */
final class SaslDeadline {
  private static final ScheduledThreadPoolExecutor CLOCK = clock();
  private static final ThreadFactory CLOSERS = Thread.ofVirtual().name("sasl-deadline").factory();

  /** What runs under the deadline. */
  interface Exchange<T> {
    T run() throws IOException;
  }

  private SaslDeadline() {}

  /**
   * @throws AuthenticationException if the time is over; the channel is closed then
   */
  static <T> T bound(ByteChannel channel, Duration timeout, Exchange<T> exchange)
      throws IOException {
    AtomicBoolean over = new AtomicBoolean();
    ScheduledFuture<?> alarm =
        CLOCK.schedule(
            () -> {
              if (over.compareAndSet(false, true)) {
                CLOSERS.newThread(() -> close(channel)).start();
              }
            },
            timeout.toMillis(),
            TimeUnit.MILLISECONDS);
    T result;
    try {
      result = exchange.run();
    } catch (IOException e) {
      alarm.cancel(false);
      if (over.compareAndSet(false, true)) {
        throw e;
      }
      throw late(timeout);
    }
    alarm.cancel(false);
    if (!over.compareAndSet(false, true)) {
      throw late(timeout);
    }
    return result;
  }

  /** How many exchanges are under way, or have just ended by their time. */
  static int waiting() {
    return CLOCK.getQueue().size();
  }

  private static AuthenticationException late(Duration timeout) {
    return new AuthenticationException(
        "no authentication within " + timeout.toMillis() / 1000.0 + " s");
  }

  private static void close(ByteChannel channel) {
    try {
      channel.close();
    } catch (IOException e) {
      // It is of no use to anybody any more, closed or not.
    }
  }

  private static ScheduledThreadPoolExecutor clock() {
    ScheduledThreadPoolExecutor clock =
        new ScheduledThreadPoolExecutor(
            1, Thread.ofPlatform().daemon().name("sasl-clock").factory());
    clock.setRemoveOnCancelPolicy(true);
    return clock;
  }
}
