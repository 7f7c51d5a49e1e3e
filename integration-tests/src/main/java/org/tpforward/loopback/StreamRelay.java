package org.tpforward.loopback;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.SelectionKey;
import java.nio.channels.Selector;
import java.nio.channels.SocketChannel;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Consumer;

/**
 * One connection of a stream tube: bytes both ways, each direction in a thread of its own and with
 * an end of its own.
 */
final class StreamRelay {
  private static final int BUFFER = 64 << 10;

  private final Direction there;
  private final Direction back;
  private final Consumer<StreamRelay> ended;
  private final AtomicInteger running = new AtomicInteger(2);
  private volatile boolean draining;

  /**
   * Takes both connections over; they are closed if this throws.
   *
   * @param ended runs once, when both directions have ended and both connections are closed
   */
  static StreamRelay of(SocketChannel left, SocketChannel right, Consumer<StreamRelay> ended)
      throws IOException {
    try {
      return new StreamRelay(left, right, ended);
    } catch (IOException e) {
      CmListener.closeQuietly(left);
      CmListener.closeQuietly(right);
      throw e;
    }
  }

  private StreamRelay(SocketChannel left, SocketChannel right, Consumer<StreamRelay> ended)
      throws IOException {
    left.configureBlocking(false);
    right.configureBlocking(false);
    this.there = new Direction(left, right);
    this.back = new Direction(right, left);
    this.ended = ended;
  }

  void start() {
    Thread.ofPlatform().daemon().name("loopback-stream").start(there::run);
    Thread.ofPlatform().daemon().name("loopback-stream").start(back::run);
  }

  /** Ends it once what has come so far has been passed on, because the tube is gone. */
  void drain() {
    draining = true;
    there.wakeUp();
    back.wakeUp();
  }

  /** Ends it now. */
  void cut() {
    CmListener.closeQuietly(there.from);
    CmListener.closeQuietly(back.from);
    there.wakeUp();
    back.wakeUp();
  }

  /**
   * One direction. Its channels do not block: a read that is ended by shutting the input down would
   * lose what the kernel holds.
   */
  private final class Direction {
    private final SocketChannel from;
    private final SocketChannel to;
    private final Selector readable;
    private final Selector writable;

    Direction(SocketChannel from, SocketChannel to) throws IOException {
      this.from = from;
      this.to = to;
      this.readable = from.provider().openSelector();
      this.writable = to.provider().openSelector();
      from.register(readable, SelectionKey.OP_READ);
      to.register(writable, SelectionKey.OP_WRITE);
    }

    void wakeUp() {
      readable.wakeup();
      writable.wakeup();
    }

    void run() {
      ByteBuffer buffer = ByteBuffer.allocateDirect(BUFFER);
      try (readable;
          writable) {
        while (fill(buffer)) {
          buffer.flip();
          while (to.write(buffer) >= 0 && buffer.hasRemaining()) {
            await(writable);
          }
          buffer.clear();
        }
        to.shutdownOutput();
      } catch (IOException e) {
        cut();
      } finally {
        if (running.decrementAndGet() == 0) {
          cut();
          ended.accept(StreamRelay.this);
        }
      }
    }

    /** Reads what is there, at least a byte; false at the end. */
    private boolean fill(ByteBuffer buffer) throws IOException {
      while (true) {
        boolean last = draining;
        int n = from.read(buffer);
        if (n != 0) {
          return n > 0;
        }
        if (last) {
          return false;
        }
        await(readable);
      }
    }

    private static void await(Selector selector) throws IOException {
      selector.select();
      selector.selectedKeys().clear();
    }
  }
}
