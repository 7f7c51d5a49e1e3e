package org.tpforward.loopback;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.SocketChannel;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Consumer;

/**
 * One connection of a stream tube: bytes both ways, each direction in a thread of its own and with
 * an end of its own.
 */
final class StreamRelay {
  private static final int BUFFER = 64 << 10;

  private final SocketChannel left;
  private final SocketChannel right;
  private final Consumer<StreamRelay> ended;
  private final AtomicInteger running = new AtomicInteger(2);

  /**
   * Takes both connections over.
   *
   * @param ended runs once, when both directions have ended and both connections are closed
   */
  StreamRelay(SocketChannel left, SocketChannel right, Consumer<StreamRelay> ended) {
    this.left = left;
    this.right = right;
    this.ended = ended;
  }

  void start() {
    Thread.ofPlatform().daemon().name("loopback-stream").start(() -> copy(left, right));
    Thread.ofPlatform().daemon().name("loopback-stream").start(() -> copy(right, left));
  }

  private void copy(SocketChannel from, SocketChannel to) {
    ByteBuffer buffer = ByteBuffer.allocateDirect(BUFFER);
    try {
      while (from.read(buffer) >= 0) {
        buffer.flip();
        while (buffer.hasRemaining()) {
          to.write(buffer);
        }
        buffer.clear();
      }
      to.shutdownOutput();
    } catch (IOException e) {
      cut();
    } finally {
      if (running.decrementAndGet() == 0) {
        cut();
        ended.accept(this);
      }
    }
  }

  /** Ends it once what has come so far has been passed on, because the tube is gone. */
  void drain() {
    for (SocketChannel channel : new SocketChannel[] {left, right}) {
      try {
        channel.shutdownInput();
      } catch (IOException e) {
        cut();
      }
    }
  }

  /** Ends it now. */
  void cut() {
    CmListener.closeQuietly(left);
    CmListener.closeQuietly(right);
  }
}
