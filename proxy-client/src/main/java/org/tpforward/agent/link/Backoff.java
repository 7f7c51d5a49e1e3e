package org.tpforward.agent.link;

import java.time.Duration;
import java.util.random.RandomGenerator;

/**
 * Growing waits between tries: each twice the one before, up to a bound, give or take a quarter.
 */
final class Backoff {
  private final Duration first;
  private final Duration longest;
  private final RandomGenerator random;
  private Duration next;

  Backoff(Duration first, Duration longest, RandomGenerator random) {
    this.first = first;
    this.longest = longest;
    this.random = random;
    this.next = first;
  }

  /** The next wait. */
  Duration next() {
    Duration base = next;
    Duration doubled = next.multipliedBy(2);
    next = doubled.compareTo(longest) > 0 ? longest : doubled;
    return Duration.ofNanos((long) (base.toNanos() * random.nextDouble(0.75, 1.25)));
  }

  void reset() {
    next = first;
  }
}
