package org.tpforward.dbus;

import java.util.Arrays;
import java.util.Random;

/** Damages bytes in the ways that codecs fall for; the same for the same seed. */
final class Mutator {
  private static final int[] LENGTHS = {
    0,
    1,
    2,
    3,
    4,
    7,
    8,
    15,
    16,
    17,
    255,
    256,
    4096,
    65535,
    65536,
    1 << 20,
    (1 << 20) + 1,
    64 << 20,
    (64 << 20) + 1,
    128 << 20,
    (128 << 20) + 1,
    Integer.MAX_VALUE,
    Integer.MIN_VALUE,
    -1,
    -8
  };

  /** What means something to one parser or another. */
  private static final String BYTES = "lB\0\1\2\3\4asvog(){}/.:%= \r\n\377";

  private final Random random;

  Mutator(Random random) {
    this.random = random;
  }

  byte[] mutate(byte[] original) {
    byte[] b = original.clone();
    for (int i = random.nextInt(3); i >= 0; i--) {
      b = once(b);
    }
    return b;
  }

  private byte[] once(byte[] b) {
    if (b.length == 0) {
      return new byte[] {(byte) random.nextInt(256)};
    }
    int at = random.nextInt(b.length);
    switch (random.nextInt(8)) {
      case 0 -> b[at] ^= (byte) (1 << random.nextInt(8));
      case 1 -> b[at] = (byte) random.nextInt(256);
      case 2 -> b[at] = (byte) BYTES.charAt(random.nextInt(BYTES.length()));
      case 3 -> {
        int aligned = at & -4;
        if (aligned + 4 <= b.length) {
          int length = LENGTHS[random.nextInt(LENGTHS.length)];
          Wire.putInt32(b, aligned, random.nextBoolean(), length);
        }
      }
      case 4 -> {
        int aligned = at & -4;
        if (aligned + 4 <= b.length) {
          boolean little = random.nextBoolean();
          int changed = Wire.int32(b, aligned, little) + random.nextInt(17) - 8;
          Wire.putInt32(b, aligned, little, changed);
        }
      }
      case 5 -> {
        return Arrays.copyOf(b, at);
      }
      case 6 -> {
        return insert(b, at, Arrays.copyOfRange(b, at, at + random.nextInt(16)));
      }
      default -> {
        int end = Math.min(b.length, at + random.nextInt(16));
        byte[] rest = Arrays.copyOfRange(b, end, b.length);
        return insert(Arrays.copyOf(b, at), at, rest);
      }
    }
    return b;
  }

  private static byte[] insert(byte[] b, int at, byte[] what) {
    byte[] longer = Arrays.copyOf(b, b.length + what.length);
    System.arraycopy(b, at, longer, at + what.length, b.length - at);
    System.arraycopy(what, 0, longer, at, what.length);
    return longer;
  }
}
