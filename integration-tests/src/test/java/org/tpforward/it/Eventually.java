package org.tpforward.it;

import java.util.concurrent.locks.LockSupport;
import java.util.function.Supplier;
import org.tpforward.harness.Proc;

/** For what sends no event, such as another program's descriptors: looks until it is so. */
final class Eventually {
  private static final long PAUSE_NANOS = 20_000_000;

  private Eventually() {}

  /** Looks until the condition holds; fails with the last value seen if it never does. */
  static <T> T holds(Supplier<T> look, java.util.function.Predicate<T> condition) {
    long deadline = System.nanoTime() + Proc.PATIENCE.toNanos();
    T value = look.get();
    while (!condition.test(value)) {
      if (System.nanoTime() > deadline) {
        throw new AssertionError("it stayed at " + value);
      }
      LockSupport.parkNanos(PAUSE_NANOS);
      value = look.get();
    }
    return value;
  }
}
