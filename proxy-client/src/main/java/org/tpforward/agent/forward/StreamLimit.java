package org.tpforward.agent.forward;

import java.util.concurrent.Semaphore;
import java.util.concurrent.atomic.LongAdder;

/** How many streams an agent may have at once, and what became of them. Thread-safe. */
final class StreamLimit {
  private final int max;
  private final Semaphore permits;
  private final LongAdder opened = new LongAdder();
  private final LongAdder refused = new LongAdder();
  private final LongAdder finishedToClient = new LongAdder();
  private final LongAdder finishedToCm = new LongAdder();

  StreamLimit(int max) {
    this.max = max;
    this.permits = new Semaphore(max);
  }

  /** Whether there is room for one more; it is taken until {@link #ended} or {@link #giveBack}. */
  boolean take() {
    return permits.tryAcquire();
  }

  /** No stream came of it. */
  void giveBack() {
    permits.release();
  }

  void ended(Stream stream) {
    finishedToClient.add(stream.bytesToClient());
    finishedToCm.add(stream.bytesToCm());
    permits.release();
  }

  void channelOpened() {
    opened.increment();
  }

  void refused() {
    refused.increment();
  }

  /** How many are taken now. */
  int taken() {
    return max - permits.availablePermits();
  }

  long opened() {
    return opened.sum();
  }

  long refusals() {
    return refused.sum();
  }

  /** Bytes of streams that have ended. */
  long finishedToClient() {
    return finishedToClient.sum();
  }

  /** Bytes of streams that have ended. */
  long finishedToCm() {
    return finishedToCm.sum();
  }
}
