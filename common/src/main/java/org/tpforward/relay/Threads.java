package org.tpforward.relay;

/**
 * The threads of the data path, made in one place so that their kind can be changed by measurement:
 * platform threads, which were ahead of virtual ones for two sockets pumped into each other, and
 * which junixsocket's channels need.
 */
public final class Threads {
  /** Bytes. A pump's frames are few; a thousand of them must stay cheap. */
  private static final long STACK = 256 << 10;

  private Threads() {}

  /** Starts a daemon thread. */
  public static Thread start(String name, Runnable task) {
    Thread thread = Thread.ofPlatform().daemon().name(name).stackSize(STACK).unstarted(task);
    thread.start();
    return thread;
  }
}
