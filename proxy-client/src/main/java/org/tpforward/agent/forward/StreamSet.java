package org.tpforward.agent.forward;

import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.LongAdder;

/**
 * The streams of one forward or offering, and whether there may be more of them. Once it is closed
 * none comes to it, so that whoever closed it has seen all of them. Thread-safe.
 */
final class StreamSet {
  private final Set<Stream> streams = ConcurrentHashMap.newKeySet();
  private final LongAdder finishedToClient = new LongAdder();
  private final LongAdder finishedToCm = new LongAdder();
  private final Object lock = new Object();
  private volatile boolean closed;

  /** Adds one; false, and nothing done, once this is closed. */
  boolean add(Stream stream) {
    synchronized (lock) {
      return !closed && streams.add(stream);
    }
  }

  /** Takes no more streams; whether this very call has closed it. */
  boolean close() {
    synchronized (lock) {
      boolean first = !closed;
      closed = true;
      return first;
    }
  }

  /** A stream has ended. */
  void remove(Stream stream) {
    if (streams.remove(stream)) {
      finishedToClient.add(stream.bytesToClient());
      finishedToCm.add(stream.bytesToCm());
    }
  }

  boolean isClosed() {
    return closed;
  }

  /** Whether there is none and will be none. */
  boolean isOver() {
    return closed && streams.isEmpty();
  }

  int size() {
    return streams.size();
  }

  /** Those that are open now. */
  Set<Stream> open() {
    return Set.copyOf(streams);
  }

  /** Bytes so far, of streams that have ended too. */
  long bytesToClient() {
    return finishedToClient.sum() + streams.stream().mapToLong(Stream::bytesToClient).sum();
  }

  /** Bytes so far, of streams that have ended too. */
  long bytesToCm() {
    return finishedToCm.sum() + streams.stream().mapToLong(Stream::bytesToCm).sum();
  }

  /** Ends all that are open, as broken ones. */
  void abort(String reason) {
    streams.forEach(s -> s.abort(reason));
  }
}
