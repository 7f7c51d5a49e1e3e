package org.tpforward.agent.forward;

import java.io.Closeable;
import java.time.Duration;
import java.util.Set;
import java.util.concurrent.Executors;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;

/**
 * What happens some time after a channel has ended, where nothing else makes it happen before. The
 * tasks run on one thread and do not block.
 */
final class Endings implements Closeable {
  private final ScheduledExecutorService timer =
      Executors.newSingleThreadScheduledExecutor(
          Thread.ofPlatform().daemon().name("forward-timer").factory());
  private final Duration told;
  private final Duration drain;

  /**
   * Begins with nothing to do.
   *
   * @param told how long a reader may take to hear of the end on its own bus connection
   * @param drain how long the streams of a closed channel may stand still
   */
  Endings(Duration told, Duration drain) {
    this.told = told;
    this.drain = drain;
  }

  /** The reader hears of it on its own bus connection; if it does not listen there, soon enough. */
  void tellSoon(Forward forward) {
    TransferState transfer = forward.transfer();
    if (transfer != null) {
      after(told, transfer::toldAll, transfer::toldAll);
    }
  }

  /** Ends those streams once no byte of theirs moves any more. */
  void drain(Set<Stream> streams) {
    for (Stream stream : streams) {
      drain(stream, moved(stream));
    }
  }

  private void drain(Stream stream, long before) {
    after(
        drain,
        () -> {
          long now = moved(stream);
          if (stream.isOver()) {
            return;
          }
          if (now == before) {
            stream.abort("its channel has ended and no byte moves any more");
          } else {
            drain(stream, now);
          }
        },
        () -> {}); // Whoever ends the agent aborts the streams.
  }

  private static long moved(Stream stream) {
    return stream.bytesToClient() + stream.bytesToCm();
  }

  private void after(Duration delay, Runnable task, Runnable ifTheAgentEnds) {
    try {
      var _ = timer.schedule(task, delay.toMillis(), TimeUnit.MILLISECONDS);
    } catch (RejectedExecutionException e) {
      ifTheAgentEnds.run();
    }
  }

  /** Forgets what was to happen. */
  @Override
  public void close() {
    timer.shutdownNow();
  }
}
