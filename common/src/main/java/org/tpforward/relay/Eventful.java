package org.tpforward.relay;

import java.io.IOException;
import java.nio.ByteBuffer;
import org.jspecify.annotations.Nullable;

/**
 * A stream that can do without a thread that waits for it: it tells when there is something to
 * read. Between {@link #watch} and {@link #toBlocking} only the calls of this interface, {@link
 * #shutdownOutput}, {@link #close} and {@link #reset} may be used; none of them waits. Otherwise it
 * is a {@link Duplex} like others.
 */
public interface Eventful extends Duplex {
  /** Whether it can be watched; if not, nothing else here may be called. */
  boolean canBeWatched();

  /** The thread that tells of this one, if it can do so for sockets. */
  default @Nullable EventLoop loop() {
    return null;
  }

  /**
   * Calls {@code listener} once at once in this thread, and from then on whenever there may be
   * bytes, the end, or a failure to read, in the thread that notices it. One that does not read all
   * that is there may, or may not, be called again for it.
   *
   * @param loop the thread that notices, for a stream that is a socket
   * @param listener must not wait
   */
  void watch(EventLoop loop, Runnable listener) throws IOException;

  /** Tells no more. A call that is under way goes on. Idempotent. */
  void unwatch();

  /** Tells no more, and waits in its calls again, as a {@link Duplex}. Idempotent. */
  void toBlocking() throws IOException;

  /**
   * Reads what is there.
   *
   * @return the number of bytes, 0 if there is nothing yet, -1 at the end
   */
  int readNow(ByteBuffer dst) throws IOException;

  /** How many bytes {@link #writeNow} is allowed to take; 0 while the way is blocked. */
  int roomNow();

  /**
   * Writes as much as can be written without waiting.
   *
   * @return the number of bytes; the others remain in {@code src}
   */
  int writeNow(ByteBuffer src) throws IOException;
}
