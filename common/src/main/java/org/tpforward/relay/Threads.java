package org.tpforward.relay;

import java.util.concurrent.SynchronousQueue;
import java.util.concurrent.ThreadPoolExecutor;
import java.util.concurrent.TimeUnit;

/**
 * The threads of the data path, made in one place so that their kinds can be chosen by measurement:
 *
 * <ul>
 *   <li>Platform threads move bytes: they are ahead of virtual ones there, and junixsocket's
 *       channels need them. Those of streams that are over wait some seconds for the next one: to
 *       make one costs more than a short stream.
 *   <li>Virtual threads wait: a thousand idle streams cost little.
 * </ul>
 *
 * All of them are daemons.
 */
public final class Threads {
  /** Bytes. A pump's frames are few; a thousand of them must stay cheap. */
  private static final long STACK = 256 << 10;

  private static final long SPARE_SECONDS = 10;

  private static final ThreadPoolExecutor SPARE =
      new ThreadPoolExecutor(
          0,
          Integer.MAX_VALUE, // bounded by who asks: clients and streams are
          SPARE_SECONDS,
          TimeUnit.SECONDS,
          new SynchronousQueue<>(),
          Threads::platform);

  private Threads() {}

  /**
   * Starts a platform thread.
   *
   * @throws OutOfMemoryError if the system gives no more threads
   */
  public static Thread start(String name, Runnable task) {
    Thread thread = platform(task);
    thread.setName(name);
    thread.start();
    return thread;
  }

  /**
   * Runs a task on a platform thread, a spare one if there is one.
   *
   * @param name the thread's, meanwhile
   * @throws OutOfMemoryError if the system gives no more threads
   */
  public static void run(String name, Runnable task) {
    SPARE.execute(() -> {
      Thread.currentThread().setName(name);
      try {
        task.run();
      } finally {
        Thread.currentThread().setName("spare");
      }
    });
  }

  /** Starts a virtual thread, for what waits most of the time. */
  public static void waiting(String name, Runnable task) {
    Thread.ofVirtual().name(name).start(task);
  }

  private static Thread platform(Runnable task) {
    return Thread.ofPlatform().daemon().stackSize(STACK).unstarted(task);
  }
}
