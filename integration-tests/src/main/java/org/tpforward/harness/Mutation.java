package org.tpforward.harness;

import java.nio.ByteBuffer;
import java.util.Arrays;
import java.util.SplittableRandom;

/** Spoils bytes in the ways that break parsers; the same seed spoils the same. */
final class Mutation {
  /** Lengths, counts and numbers at the edges of what parsers take. */
  private static final int[] EDGES = {
    0, 1, -1, Integer.MAX_VALUE, Integer.MIN_VALUE, 0xffff, 0x10000, 35_000, 256 << 10, 1 << 24
  };

  private static final int LONGEST_PIECE = 64;

  private final SplittableRandom random;

  Mutation(long seed) {
    this.random = new SplittableRandom(seed);
  }

  /** A number below a bound. */
  int below(int bound) {
    return random.nextInt(bound);
  }

  /**
   * Spoils a copy, which is never like the original.
   *
   * @param bytes at least one
   * @param from what comes before stays as it is; less than the length
   */
  byte[] spoil(byte[] bytes, int from) {
    byte[] spoilt = spoilOrNot(bytes, from);
    while (Arrays.equals(spoilt, bytes)) {
      spoilt = spoilOrNot(bytes, from);
    }
    return spoilt;
  }

  private byte[] spoilOrNot(byte[] bytes, int from) {
    byte[] spoilt = bytes.clone();
    int end = bytes.length;
    for (int times = 1 + below(3); times > 0; times--) {
      int at = from + below(Math.max(1, end - from));
      int length = 1 + below(Math.clamp(end - at, 1, LONGEST_PIECE));
      spoilt =
          switch (below(7)) {
            case 0 -> flipped(spoilt, at);
            case 1, 2 -> number(spoilt, at);
            case 3 -> replaced(spoilt, at, at + length, new byte[0]);
            case 4 ->
                replaced(
                    spoilt, at, at, Arrays.copyOfRange(spoilt, at, Math.min(at + length, end)));
            case 5 -> replaced(spoilt, at, at, noise(length));
            default -> replaced(spoilt, at, Math.min(at + length, end), noise(length));
          };
      end = Math.max(from + 1, spoilt.length);
    }
    return below(20) == 0 ? Arrays.copyOf(spoilt, from + below(end - from)) : spoilt;
  }

  private byte[] flipped(byte[] bytes, int at) {
    if (at < bytes.length) {
      bytes[at] ^= (byte) (1 << below(8));
    }
    return bytes;
  }

  private byte[] number(byte[] bytes, int at) {
    if (at + Integer.BYTES <= bytes.length) {
      ByteBuffer.wrap(bytes).putInt(at, EDGES[below(EDGES.length)]);
    }
    return bytes;
  }

  private byte[] noise(int length) {
    byte[] noise = new byte[length];
    random.nextBytes(noise);
    return noise;
  }

  private static byte[] replaced(byte[] bytes, int from, int to, byte[] with) {
    int start = Math.min(from, bytes.length);
    int end = Math.clamp(to, start, bytes.length);
    return ByteBuffer.allocate(bytes.length - (end - start) + with.length)
        .put(bytes, 0, start)
        .put(with)
        .put(bytes, end, bytes.length - end)
        .array();
  }
}
