package org.tpforward.agent;

import java.io.Closeable;
import java.io.IOException;
import java.time.Duration;

/**
 * Closes something when its time is over, which ends whatever blocks on it. To be closed when done.
 */
final class Deadline implements AutoCloseable {
  private final Thread thread;
  private volatile boolean expired;

  private Deadline(Closeable what, Duration time) {
    thread =
        Thread.ofVirtual()
            .name("deadline")
            .start(() -> {
              try {
                Thread.sleep(time);
              } catch (InterruptedException e) {
                return;
              }
              expired = true;
              close(what);
            });
  }

  static Deadline of(Closeable what, Duration time) {
    return new Deadline(what, time);
  }

  /** Whether the time was over first. */
  boolean expired() {
    return expired;
  }

  @Override
  public void close() {
    thread.interrupt();
  }

  private static void close(Closeable what) {
    try {
      what.close();
    } catch (IOException e) {
      // It is of no use any more in any case.
    }
  }
}
