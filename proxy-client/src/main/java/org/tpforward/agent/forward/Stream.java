package org.tpforward.agent.forward;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.concurrent.atomic.AtomicBoolean;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.tpforward.agent.link.Link;
import org.tpforward.relay.Duplex;
import org.tpforward.relay.Relay;
import org.tpforward.socket.Connection;
import org.tpforward.socket.Endpoint;

/**
 * One connection of a forward: the local client's socket and the channel to the CM's. Its life is
 * longer than the channel's: it begins when the rightful client has connected.
 */
final class Stream {
  private static final Logger log = LoggerFactory.getLogger(Stream.class);

  private final Forward forward;
  private final Connection local;
  private final AtomicBoolean over = new AtomicBoolean();
  private volatile @Nullable Relay relay;
  private volatile boolean aborted;

  Stream(Forward forward, Connection local) {
    this.forward = forward;
    this.local = local;
  }

  /**
   * Reads and drops the byte that a client sends under Credentials before the stream begins
   * (specification, {@code Socket_Access_Control_Credentials}). Who it is has been checked already,
   * by whom the kernel says that connected.
   */
  void readCredentialByte(Duration timeout) throws IOException {
    Thread deadline =
        Thread.ofVirtual()
            .start(() -> {
              try {
                Thread.sleep(timeout);
                local.close();
              } catch (InterruptedException e) {
                // The byte came.
              }
            });
    try {
      if (local.read(ByteBuffer.allocate(1)) != 1) {
        throw new IOException("it ended without its credential byte");
      }
    } catch (IOException e) {
      throw deadline.isAlive()
          ? e
          : new IOException("it sent no credential byte within " + timeout, e);
    } finally {
      deadline.interrupt();
    }
  }

  /** Opens the channel and begins to pump. */
  void start(Link link, Endpoint target) throws IOException {
    Duplex remote = link.open(target);
    forward.channelOpened();
    Relay started = Relay.start("stream " + forward.local(), local, remote, new Hooks());
    relay = started;
    if (aborted) {
      started.abort("aborted");
    }
  }

  /** It never came to a relay. */
  void fail() {
    local.reset();
    end();
  }

  void abort(String reason) {
    aborted = true;
    Relay running = relay;
    if (running != null) {
      running.abort(reason);
    } else {
      local.reset();
    }
  }

  boolean isOver() {
    return over.get();
  }

  long bytesToClient() {
    Relay running = relay;
    return running == null ? 0 : running.bytesFromFar();
  }

  long bytesToCm() {
    Relay running = relay;
    return running == null ? 0 : running.bytesFromNear();
  }

  private void end() {
    if (over.compareAndSet(false, true)) {
      forward.ended(this);
    }
  }

  private final class Hooks implements Relay.Hooks {
    @Override
    public boolean atEof(Relay.Side from, long bytes) throws InterruptedException {
      TransferState transfer = forward.transfer();
      if (from == Relay.Side.NEAR || transfer == null || transfer.awaitEarned(bytes)) {
        return true;
      }
      log.warn(
          "{} on {} ended after {} bytes, which is not all of it",
          forward.spec().use(),
          forward.spec().channel().path(),
          bytes);
      return false;
    }

    @Override
    public void atFailure(Relay.Side broken, IOException failure) throws InterruptedException {
      log.info("a stream of {} broke off: {}", forward.local(), failure.getMessage());
      TransferState transfer = forward.transfer();
      if (transfer != null && broken == Relay.Side.FAR) {
        transfer.awaitTold(forward.toldBound());
      }
    }

    @Override
    public void done() {
      end();
    }
  }
}
