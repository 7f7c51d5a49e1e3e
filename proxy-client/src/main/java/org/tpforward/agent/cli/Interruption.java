package org.tpforward.agent.cli;

import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;

/**
 * What to do when the user interrupts: the JVM then ends whatever is still running, so the hook
 * waits, for a bounded time, until the work has closed what it had open. Closed by the work.
 */
final class Interruption implements AutoCloseable {
  private static final int PATIENCE_SECONDS = 3;

  private final CountDownLatch done = new CountDownLatch(1);
  private final Thread hook;

  private Interruption(Runnable cancel) {
    hook =
        new Thread(
            () -> {
              cancel.run();
              try {
                boolean _ = done.await(PATIENCE_SECONDS, TimeUnit.SECONDS);
              } catch (InterruptedException e) {
                // Then it ends at once.
              }
            },
            "interrupted");
    Runtime.getRuntime().addShutdownHook(hook);
  }

  /**
   * @param cancel must not block for long
   */
  static Interruption of(Runnable cancel) {
    return new Interruption(cancel);
  }

  @Override
  public void close() {
    done.countDown();
    try {
      Runtime.getRuntime().removeShutdownHook(hook);
    } catch (IllegalStateException e) {
      // The hook runs already.
    }
  }
}
