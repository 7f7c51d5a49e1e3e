package org.tpforward.ssh;

import java.time.Duration;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.locks.LockSupport;
import org.apache.sshd.client.future.OpenFuture;
import org.jspecify.annotations.Nullable;

/**
 * Gives up channels that are not answered in time. Most are answered at once, so it costs them an
 * entry in a map; there is a thread only while there are entries, and it looks at the earliest.
 */
final class OpeningDeadlines {
  static final OpeningDeadlines SHARED = new OpeningDeadlines();

  private final Map<OpenFuture, Long> pending = new ConcurrentHashMap<>();

  /** Guards the beginning and the end of the thread, and when it looks next. */
  private final Object lock = new Object();

  private @Nullable Thread looking;
  private long nextLook;

  /** Cancels the opening if it is not done in time. */
  void add(OpenFuture opening, Duration timeout) {
    long deadline = System.nanoTime() + timeout.toNanos();
    pending.put(opening, deadline);
    synchronized (lock) {
      if (looking == null) {
        nextLook = deadline;
        looking = Thread.ofVirtual().name("unanswered channels").start(this::look);
      } else if (deadline - nextLook < 0) {
        nextLook = deadline;
        LockSupport.unpark(looking);
      }
    }
  }

  void remove(OpenFuture opening) {
    pending.remove(opening);
  }

  private void look() {
    while (true) {
      long left;
      synchronized (lock) {
        left = nextLook - System.nanoTime();
      }
      if (left > 0) {
        LockSupport.parkNanos(left);
        continue;
      }
      long now = System.nanoTime();
      pending.forEach((opening, deadline) -> {
        if (deadline - now <= 0 && pending.remove(opening) != null) {
          // If it is opened all the same, MINA closes it.
          opening.cancel();
        }
      });
      synchronized (lock) {
        if (pending.isEmpty()) {
          looking = null;
          return;
        }
        nextLook =
            now + pending.values().stream().mapToLong(d -> Math.max(0, d - now)).min().orElse(0);
      }
    }
  }
}
