package org.tpforward.dbus;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.WritableByteChannel;
import java.util.concurrent.locks.ReentrantLock;

/**
 * Writes whole messages; for any number of threads, whose messages never mix. Small messages gather
 * in a buffer of up to 64 KiB until {@link #flush}, so a pump writes once for all that one read
 * brought: it flushes when its reader has none buffered.
 *
 * <p>Once a write has failed the stream may end within a message, so every further call fails.
 * Whoever made the channel closes it, which also ends a write that waits.
 */
public final class MessageWriter {
  /** A piece at least this long goes to the channel without a copy, if nothing waits before it. */
  private static final int DIRECT = 16 << 10;

  private final WritableByteChannel out;
  private final ReentrantLock lock = new ReentrantLock();
  private final BufferSize size = new BufferSize();

  // Guarded by the lock.
  private byte[] buffer = new byte[BufferSize.MIN];
  private int count;
  private boolean broken;

  /**
   * @param out blocking
   */
  public MessageWriter(WritableByteChannel out) {
    this.out = out;
  }

  /**
   * Writes a message, or buffers it.
   *
   * @throws IllegalArgumentException if the header is for a body of another length
   */
  public void write(Header header, byte[] body) throws IOException {
    if (header.bodyLength() != body.length) {
      throw new IllegalArgumentException(
          "a body of " + body.length + " bytes, the header says " + header.bodyLength());
    }
    lock.lock();
    try {
      begin();
      put(header.bytes(), 0, header.bytes().length);
      put(body, 0, body.length);
      broken = false;
    } finally {
      lock.unlock();
    }
  }

  /**
   * Passes a message on whose header was just read from {@code from}, with a body of the same
   * length; the header may be another one. The body is never held as a whole. Before this waits for
   * more of the body it flushes, so nothing that was written lies here meanwhile; but other threads
   * wait for this message's end.
   *
   * @throws ProtocolException as {@code from} does, and {@link java.io.EOFException}
   */
  public void pass(Header header, MessageReader from) throws IOException {
    if (header.bodyLength() != from.bodyLeft()) {
      throw new IllegalArgumentException(
          "a body of " + from.bodyLeft() + " bytes, the header says " + header.bodyLength());
    }
    lock.lock();
    try {
      begin();
      put(header.bytes(), 0, header.bytes().length);
      while (from.bodyLeft() > 0) {
        int n = from.bodyBuffered();
        if (n == 0) {
          drain();
          n = from.awaitBody();
        }
        put(from.buffer(), from.position(), n);
        from.consume(n);
      }
      broken = false;
    } finally {
      lock.unlock();
    }
  }

  /** Writes what is buffered, by whichever thread. */
  public void flush() throws IOException {
    lock.lock();
    try {
      begin();
      drain();
      broken = false;
    } finally {
      lock.unlock();
    }
  }

  /** From here on, until it is taken back, an exception means that a message was cut. */
  private void begin() throws IOException {
    if (broken) {
      throw new IOException("an earlier write failed");
    }
    broken = true;
  }

  private void put(byte[] b, int from, int length) throws IOException {
    if (length >= DIRECT && count == 0) {
      writeFully(ByteBuffer.wrap(b, from, length));
      return;
    }
    if (length > buffer.length - count) {
      if (count + length <= BufferSize.MAX) {
        byte[] grown = new byte[BufferSize.roundUp(count + length)];
        System.arraycopy(buffer, 0, grown, 0, count);
        buffer = grown;
      } else {
        drain();
        put(b, from, length);
        return;
      }
    }
    System.arraycopy(b, from, buffer, count, length);
    count += length;
  }

  private void drain() throws IOException {
    if (count > 0) {
      writeFully(ByteBuffer.wrap(buffer, 0, count));
      size.used(count);
      count = 0;
    }
    if (buffer.length > BufferSize.MIN && size.next(buffer.length) < buffer.length) {
      buffer = new byte[BufferSize.MIN];
    }
  }

  private void writeFully(ByteBuffer bytes) throws IOException {
    while (bytes.hasRemaining()) {
      out.write(bytes);
    }
  }
}
