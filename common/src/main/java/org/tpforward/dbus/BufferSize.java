package org.tpforward.dbus;

/**
 * How large the buffer of one direction of one connection should be: small while messages trickle,
 * large while they pour. Grows at once, shrinks after a while.
 */
final class BufferSize {
  /** Holds most messages. */
  static final int MIN = 4 << 10;

  /** Enough that a system call costs little beside its copy. */
  static final int MAX = 64 << 10;

  /** How many small uses in a row let a large buffer go. */
  private static final int PATIENCE = 4;

  private int last;
  private int small;

  /** Tells how many bytes the buffer held at one use. */
  void used(int bytes) {
    last = bytes;
    small = bytes <= MIN ? small + 1 : 0;
  }

  /** The length that an empty buffer of this length should have for its next use. */
  int next(int length) {
    if (last == length && length < MAX) {
      return Math.min(MAX, 4 * length);
    }
    if (length > MIN && small >= PATIENCE) {
      return MIN;
    }
    return length;
  }

  /** A length to allocate: a power of two, at least {@link #MIN}. */
  static int roundUp(int length) {
    return length <= MIN ? MIN : Integer.highestOneBit(length - 1) << 1;
  }
}
