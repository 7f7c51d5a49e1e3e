package org.tpforward.socket;

import java.util.concurrent.Callable;
import java.util.concurrent.CompletableFuture;

/** Threads of tests. */
final class Threads {
  private Threads() {}

  static <T> CompletableFuture<T> run(Callable<T> task) {
    return run(Thread.ofPlatform().daemon(), task);
  }

  static <T> CompletableFuture<T> run(Thread.Builder kind, Callable<T> task) {
    CompletableFuture<T> result = new CompletableFuture<>();
    kind.start(() -> {
      try {
        result.complete(task.call());
      } catch (Throwable e) {
        result.completeExceptionally(e);
      }
    });
    return result;
  }

  /**
   * Waits until a thread is inside a system call of a socket. A test that comes too early is no
   * failure, it only tests less.
   */
  static void awaitBlockedInNativeCode(Thread thread) {
    while (thread.isAlive()) {
      StackTraceElement[] stack = thread.getStackTrace();
      if (stack.length > 0 && stack[0].isNativeMethod()) {
        return;
      }
      for (StackTraceElement frame : stack) {
        if (frame.getMethodName().equals("park") || frame.getMethodName().equals("poll")) {
          return;
        }
      }
      Thread.onSpinWait();
    }
  }
}
