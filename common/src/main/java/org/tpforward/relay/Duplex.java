package org.tpforward.relay;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.ByteChannel;

/**
 * A byte stream whose two directions end separately: a local socket, or an SSH channel.
 *
 * <p>All calls block. One thread may read while another writes; two threads never read, or write,
 * at once. {@link #close} and {@link #reset} may be called by any thread, and end what blocks.
 */
public interface Duplex extends ByteChannel {
  /**
   * Reads what is there, at least one byte, waiting for it if need be.
   *
   * @return the number of bytes read, or -1 once the peer has ended its direction <em>in order</em>
   *     (a TCP FIN, a Unix shutdown or close, SSH_MSG_CHANNEL_EOF)
   * @throws IOException if the stream broke: a reset, a channel closed without EOF, a lost link. A
   *     reader may rely on it that -1 never stands for any of these.
   */
  @Override
  int read(ByteBuffer dst) throws IOException;

  /** Whether {@link #awaitReadable} does what it says; otherwise only a read waits. */
  default boolean canAwait() {
    return false;
  }

  /**
   * Waits until a {@link #read} would not have to: for bytes, the end, or a failure. So who waits
   * needs no buffer yet.
   *
   * @param millis how long at most; 0 for no bound
   * @return false if the time has passed and nothing came
   */
  default boolean awaitReadable(long millis) throws IOException {
    return true;
  }

  /**
   * As {@link #awaitReadable(long)}; but what arrives meanwhile may be handed to {@code receiver}
   * by the thread that received it, and is then not there to be read: that saves a hand-over
   * between threads for each piece. Once this has returned the receiver is called no more.
   */
  default boolean awaitReadable(long millis, Receiver receiver) throws IOException {
    return awaitReadable(millis);
  }

  /** Where bytes go that need not be read. */
  @FunctionalInterface
  interface Receiver {
    /**
     * Takes what it can without waiting; called by a thread that serves many streams.
     *
     * @return how many bytes, from the beginning; the rest is then to be read
     */
    int receive(byte[] bytes, int offset, int length);
  }

  /**
   * Whether virtual threads may use it while both directions move. Without a default: who wraps a
   * stream must ask it.
   */
  boolean suitsVirtualThreads();

  /**
   * Writes everything that remains in {@code src}, waiting for the peer's window or buffer.
   *
   * @return the number of bytes written: all of them
   */
  @Override
  int write(ByteBuffer src) throws IOException;

  /**
   * Writes what goes without waiting. For any thread, while no other one writes.
   *
   * @return how many bytes, from the beginning; 0 also where the stream is broken or cannot do it,
   *     so that {@link #write} has to try
   */
  default int writeNow(byte[] bytes, int offset, int length) {
    return 0;
  }

  /** Half-close: tells the peer that no more bytes follow. The other direction goes on. */
  void shutdownOutput() throws IOException;

  /** Ends both directions in order; what was written before is still delivered. Idempotent. */
  @Override
  void close();

  /**
   * Ends both directions so that the peer notices a failure where its kind of stream can tell one:
   * a TCP reset. On a Unix socket it is the same as {@link #close}. Idempotent.
   */
  void reset();
}
