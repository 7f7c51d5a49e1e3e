package org.tpforward.agent.forward;

import java.io.IOException;
import java.util.concurrent.atomic.AtomicBoolean;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.tpforward.relay.Duplex;
import org.tpforward.relay.Flow;
import org.tpforward.relay.QuietRelay;
import org.tpforward.relay.Relay;
import org.tpforward.socket.Connection;

/**
 * One connection: a local socket, and a channel to the CM's. Its life is longer than the channel's:
 * it begins when the rightful client has connected.
 */
final class Stream {
  private static final Logger log = LoggerFactory.getLogger(Stream.class);

  private final String name;
  private final StreamOwner owner;
  private final @Nullable TransferState transfer;
  private final Object starting = new Object();
  private final AtomicBoolean over = new AtomicBoolean();
  private volatile @Nullable Connection local;
  private volatile @Nullable Flow flow;
  private volatile boolean aborted;
  private volatile boolean nearEnded;

  /**
   * @param name how logs and threads call it
   * @param transfer for an incoming file, whose EOF must be earned
   */
  Stream(String name, StreamOwner owner, @Nullable TransferState transfer) {
    this.name = name;
    this.owner = owner;
    this.transfer = transfer;
  }

  /** The local socket, which ends with the stream from now on. */
  void local(Connection connection) {
    local = connection;
    if (aborted) {
      connection.reset();
    }
  }

  /** Begins to pump; both streams end with this from now on. */
  void start(Duplex near, Duplex far) throws IOException {
    owner.channelOpened();
    QuietRelay quiet = transfer == null ? QuietRelay.of(name, near, far, new Hooks()) : null;
    Flow started;
    if (quiet != null) {
      started = quiet;
      flow = quiet;
      quiet.begin();
    } else {
      synchronized (starting) {
        started = Relay.start(name, near, far, new Hooks());
        flow = started;
      }
    }
    if (aborted) {
      started.abort("aborted");
    }
  }

  /** It never came to a relay. */
  void fail() {
    Connection connection = local;
    if (connection != null) {
      connection.reset();
    }
    end();
  }

  void abort(String reason) {
    aborted = true;
    Flow running = flow;
    Connection connection = local;
    if (running != null) {
      running.abort(reason);
    } else if (connection != null) {
      connection.reset();
    }
  }

  boolean isOver() {
    return over.get();
  }

  long bytesToClient() {
    Flow running = flow;
    return running == null ? 0 : running.bytesFromFar();
  }

  long bytesToCm() {
    Flow running = flow;
    return running == null ? 0 : running.bytesFromNear();
  }

  /**
   * Whether the end that is held back has nobody left to be held back from. A reader that has only
   * ended its own direction is there still; on TCP that cannot be told, but there the stream breaks
   * off with a reset, which nobody takes for the end.
   */
  private boolean isReaderGone() {
    Connection reader = local;
    return nearEnded
        && reader != null
        && (reader.remote() != null || !reader.isOpen() || reader.isHungUp());
  }

  private void end() {
    if (over.compareAndSet(false, true)) {
      owner.ended(this);
    }
  }

  private final class Hooks implements Relay.Hooks {
    @Override
    public boolean atEof(Relay.Side from, long bytes) throws InterruptedException {
      if (from == Relay.Side.NEAR) {
        nearEnded = true;
        return true;
      }
      if (transfer == null || transfer.awaitEarned(bytes, Stream.this::isReaderGone)) {
        return true;
      }
      log.warn("{} ended after {} bytes, which is not all of it", name, bytes);
      return false;
    }

    @Override
    public void atFailure(Relay.Side broken, IOException failure) throws InterruptedException {
      log.info("{} broke off: {}", name, failure.getMessage());
      if (transfer != null && broken == Relay.Side.FAR) {
        transfer.awaitTold(Stream.this::isReaderGone);
      }
    }

    @Override
    public void done() {
      synchronized (starting) { // A short stream may be done before its relay is known here.
        end();
      }
    }
  }
}
