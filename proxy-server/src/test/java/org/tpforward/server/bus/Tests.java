package org.tpforward.server.bus;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.tpforward.relay.Duplex;

/** What all tests here wait and read with. */
final class Tests {
  /** How long a test waits for what must come; never how long it takes. */
  static final Duration PATIENCE = Duration.ofSeconds(30);

  private Tests() {}

  /** Something that is so at some time. */
  interface Condition {
    boolean holds() throws Exception;
  }

  static void await(Condition condition) throws Exception {
    long end = System.nanoTime() + PATIENCE.toNanos();
    while (!condition.holds()) {
      if (System.nanoTime() > end) {
        throw new AssertionError("it did not become so within " + PATIENCE);
      }
      Thread.sleep(2);
    }
  }

  static <T> T get(CompletableFuture<T> future) throws Exception {
    return future.get(PATIENCE.toSeconds(), TimeUnit.SECONDS);
  }

  /** Reads to the end, however it comes. */
  static void awaitEnd(Duplex stream) {
    try {
      ByteBuffer bytes = ByteBuffer.allocate(4096);
      int n = 0;
      while (n >= 0) {
        n = stream.read(bytes.clear());
      }
    } catch (IOException e) {
      // A reset is an end too.
    }
  }
}
