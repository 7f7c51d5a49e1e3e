package org.tpforward.ssh;

import java.util.concurrent.ArrayBlockingQueue;
import java.util.concurrent.BlockingQueue;

/**
 * Arrays that hold what one long packet carries, to be used again: a stream goes through some ten
 * thousand of them a second, and those that wait for a reader would outlive the heap's young
 * generation one after the other. Any thread may call.
 */
final class PacketArrays {
  /** What OpenSSH sends in a packet, or takes, and what SSH puts around it. Bytes. */
  static final int LENGTH = (32 << 10) + 128;

  /** So many are kept, 4 MiB in all. */
  private static final int SPARE = 128;

  private static final BlockingQueue<byte[]> KEPT = new ArrayBlockingQueue<>(SPARE);

  private PacketArrays() {}

  /** An array of {@link #LENGTH} with anything in it, or a new and longer one. */
  static byte[] take(int length) {
    if (length > LENGTH) {
      return new byte[length];
    }
    byte[] kept = KEPT.poll();
    return kept != null ? kept : new byte[LENGTH];
  }

  /** Takes back an array that nobody uses any more, of whatever length. */
  static void giveBack(byte[] array) {
    if (array.length == LENGTH) {
      KEPT.offer(array);
    }
  }
}
