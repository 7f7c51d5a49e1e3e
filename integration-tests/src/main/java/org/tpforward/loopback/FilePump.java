package org.tpforward.loopback;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.SocketChannel;

/**
 * Moves a file from the sender's connection to the receiver's. The transfer is declared complete
 * before its last bytes have left, as gabble's is.
 */
final class FilePump {
  private static final int BUFFER = 256 << 10;

  /** What is still here when the transfer is said to be complete; less only if the file is. */
  static final int HELD_BACK = 64 << 10;

  /** Which side it was that failed. */
  enum Side {
    SOURCE,
    SINK
  }

  /** A side that failed. */
  static final class SideException extends IOException {
    private static final long serialVersionUID = 1L;
    private final Side side;

    SideException(Side side, String message) {
      super(message);
      this.side = side;
    }

    Side side() {
      return side;
    }
  }

  /** What hears how far it is. */
  interface Watcher {
    /**
     * Hears that so much has been passed on. It may block, or throw to stop here.
     *
     * @return how much may be passed on before it must be told again
     */
    long passed(long bytes) throws IOException;

    /** Hears that everything has come in; the last bytes leave when this returns. */
    void complete() throws IOException;
  }

  private final SocketChannel source;
  private final SocketChannel sink;
  private final ByteBuffer buffer = ByteBuffer.allocateDirect(BUFFER);

  FilePump(SocketChannel source, SocketChannel sink) {
    this.source = source;
    this.sink = sink;
  }

  /**
   * Moves that many bytes, from the thread that calls it.
   *
   * @throws SideException if one side ends early or fails
   */
  void run(long total, Watcher watcher) throws IOException {
    long passed = 0;
    while (total - passed > HELD_BACK) {
      long most = Math.min(total - passed - HELD_BACK, watcher.passed(passed));
      buffer.clear().limit(Math.clamp(most, 1, BUFFER));
      read();
      passed += write();
    }
    watcher.passed(passed);
    buffer.clear().limit((int) (total - passed));
    while (buffer.hasRemaining()) {
      read();
    }
    watcher.complete();
    write();
  }

  private void read() throws SideException {
    int n;
    try {
      n = source.read(buffer);
    } catch (IOException e) {
      throw new SideException(Side.SOURCE, String.valueOf(e.getMessage()));
    }
    if (n < 0) {
      throw new SideException(Side.SOURCE, "the sender ended before the file did");
    }
  }

  private int write() throws SideException {
    int n = buffer.flip().remaining();
    try {
      while (buffer.hasRemaining()) {
        sink.write(buffer);
      }
    } catch (IOException e) {
      throw new SideException(Side.SINK, String.valueOf(e.getMessage()));
    }
    return n;
  }
}
