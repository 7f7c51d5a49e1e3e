package org.tpforward.socket;

import java.time.Duration;
import java.util.concurrent.ScheduledFuture;
import java.util.concurrent.ScheduledThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;

/**
 * Gives a blocking call on a channel a time limit, which the JDK's channels lack: closing the
 * channel ends the call. Used by the thread that makes the call; {@link #close} it afterwards.
 */
final class Watchdog implements AutoCloseable {
  private static final ScheduledThreadPoolExecutor POOL = pool();

  private final AtomicBoolean over = new AtomicBoolean();
  private final ScheduledFuture<?> alarm;
  private volatile boolean bitten;

  /** A way to close what blocks. */
  @FunctionalInterface
  interface Closing {
    void close() throws Exception;
  }

  private Watchdog(Closing target, Duration limit) {
    if (!limit.isPositive()) {
      throw new IllegalArgumentException("not a positive time: " + limit);
    }
    alarm =
        POOL.schedule(
            () -> {
              if (over.compareAndSet(false, true)) {
                bitten = true;
                target.close();
              }
              return null;
            },
            limit.toNanos(),
            TimeUnit.NANOSECONDS);
  }

  static Watchdog over(Closing target, Duration limit) {
    return new Watchdog(target, limit);
  }

  private static ScheduledThreadPoolExecutor pool() {
    ScheduledThreadPoolExecutor pool =
        new ScheduledThreadPoolExecutor(
            1, task -> Thread.ofPlatform().daemon().name("socket-timeouts").unstarted(task));
    pool.setRemoveOnCancelPolicy(true);
    pool.setKeepAliveTime(10, TimeUnit.SECONDS);
    pool.allowCoreThreadTimeOut(true);
    return pool;
  }

  /** Ends the watch: from now on the channel stays open. */
  @Override
  public void close() {
    over.set(true);
    alarm.cancel(false);
  }

  /** Whether the time was over before {@link #close}; the channel is closed then. */
  boolean expired() {
    over.set(true);
    return bitten;
  }
}
