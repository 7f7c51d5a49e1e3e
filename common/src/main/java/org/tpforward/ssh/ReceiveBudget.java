package org.tpforward.ssh;

/**
 * How much memory the unread data of all channels may take together. What a peer may send is
 * promised before it is sent, so a window is taken from here as a whole, and given back when its
 * stream is closed.
 */
final class ReceiveBudget {
  /** The widest window of one stream: 480 MiB/s at a round trip of 100 ms. */
  static final long WIDEST = 48L << 20;

  /** A new stream's window, for as long as it has not shown that it is read as fast as it fills. */
  static final long INITIAL = 512 << 10;

  /** What a new stream gets when nothing is left. */
  static final long LEAST = 64 << 10;

  /** By what a window is multiplied, each time it has been read as fast as it filled. */
  private static final long GROWTH = 8;

  /** That of this program: half of the heap that it may have. */
  static final ReceiveBudget SHARED = new ReceiveBudget(Runtime.getRuntime().maxMemory() / 2);

  private final long widest;
  private final long scarce;
  private long left;

  /**
   * @param total in bytes
   */
  ReceiveBudget(long total) {
    this.left = total;
    this.widest = Math.clamp(total * 2 / 3, INITIAL, WIDEST);
    this.scarce = total / 8;
  }

  /** The window of a new stream: at least {@link #LEAST}, whatever is left. */
  synchronized long begin() {
    long window = Math.clamp(left, LEAST, INITIAL);
    left -= window;
    return window;
  }

  /**
   * Widens a window to eight times its size, as far as there is something left and no window
   * becomes wider than two thirds of all.
   *
   * @return by how much; 0 for not at all
   */
  synchronized long widen(long window) {
    long spare = left - scarce;
    long more = Math.clamp(Math.min((GROWTH - 1) * window, spare), 0, Math.max(0, widest - window));
    left -= more;
    return more;
  }

  /** Whether so little is left that wide windows shrink, for others to begin. */
  synchronized boolean isScarce() {
    return left < scarce;
  }

  /** Takes a window back. */
  synchronized void end(long window) {
    left += window;
  }

  /** How many bytes are not promised to anybody; less than 0 when all streams have the least. */
  synchronized long left() {
    return left;
  }
}
