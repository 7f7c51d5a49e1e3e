package org.tpforward.harness;

import java.io.EOFException;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.SplittableRandom;
import java.util.concurrent.BrokenBarrierException;
import java.util.concurrent.CyclicBarrier;
import java.util.zip.CRC32;
import org.tpforward.relay.Duplex;

/**
 * Connections that can be told apart, in both directions: each has a number, its bytes follow from
 * that number, and each end says at its end how many bytes it got and their checksum.
 *
 * <pre>
 * client  number (8 bytes)
 * service number (8 bytes)
 * client  size bytes, end of its direction
 * service number, count (8 bytes each), CRC-32 of what it got (4), size bytes, end
 * </pre>
 */
final class TubeTraffic {
  private static final int BUFFER = 16 << 10;

  private TubeTraffic() {}

  /**
   * The client's part of one connection.
   *
   * @param size bytes each way
   * @param together waits for all others that are open too; null where this one is alone
   * @throws IOException if anything at all is not as it must be
   */
  static void ask(
      Duplex service,
      long number,
      int size,
      @org.jspecify.annotations.Nullable CyclicBarrier together)
      throws IOException, InterruptedException {
    writeAll(service, ByteBuffer.allocate(8).putLong(number).flip());
    expect(number, readExactly(service, 8).getLong(), "number");
    if (together != null) {
      try {
        together.await();
      } catch (BrokenBarrierException e) {
        throw new IOException("another one has failed", e);
      }
    }
    CRC32 sent = pour(service, number, size);
    service.shutdownOutput();
    ByteBuffer answer = readExactly(service, 20);
    expect(number, answer.getLong(), "number at the end");
    expect(size, answer.getLong(), "bytes there");
    expect(sent.getValue(), answer.getInt() & 0xffff_ffffL, "checksum there");
    Counted here = drain(service);
    expect(size, here.count, "bytes here");
    expect(checksum(~number, size), here.crc, "checksum here");
  }

  /** The service's part of one connection. */
  static void answer(Duplex client) throws IOException {
    long number = readExactly(client, 8).getLong();
    writeAll(client, ByteBuffer.allocate(8).putLong(number).flip());
    Counted got = drain(client);
    ByteBuffer head = ByteBuffer.allocate(20);
    head.putLong(number).putLong(got.count).putInt((int) got.crc);
    writeAll(client, head.flip());
    pour(client, ~number, Math.toIntExact(got.count));
    client.shutdownOutput();
  }

  /** What came until the end in order. */
  record Counted(long count, long crc) {}

  /** Reads to the end in order; whatever else ends it is an exception. */
  static Counted drain(Duplex from) throws IOException {
    CRC32 crc = new CRC32();
    long count = 0;
    ByteBuffer buffer = ByteBuffer.allocate(BUFFER);
    for (int n = from.read(buffer); n >= 0; n = from.read(buffer)) {
      crc.update(buffer.flip());
      count += n;
      buffer.clear();
    }
    return new Counted(count, crc.getValue());
  }

  /** Writes {@code size} bytes that follow from {@code seed}; their checksum. */
  static CRC32 pour(Duplex to, long seed, int size) throws IOException {
    CRC32 crc = new CRC32();
    SplittableRandom random = new SplittableRandom(seed);
    byte[] bytes = new byte[BUFFER];
    for (int left = size; left > 0; ) {
      random.nextBytes(bytes);
      int length = Math.min(left, bytes.length);
      crc.update(bytes, 0, length);
      writeAll(to, ByteBuffer.wrap(bytes, 0, length));
      left -= length;
    }
    return crc;
  }

  /** The checksum of what {@link #pour} writes. */
  static long checksum(long seed, int size) {
    CRC32 crc = new CRC32();
    SplittableRandom random = new SplittableRandom(seed);
    byte[] bytes = new byte[BUFFER];
    for (int left = size; left > 0; left -= bytes.length) {
      random.nextBytes(bytes);
      crc.update(bytes, 0, Math.min(left, bytes.length));
    }
    return crc.getValue();
  }

  static ByteBuffer readExactly(Duplex from, int length) throws IOException {
    ByteBuffer bytes = ByteBuffer.allocate(length);
    while (bytes.hasRemaining()) {
      if (from.read(bytes) < 0) {
        throw new EOFException("ended after " + bytes.position() + " of " + length + " bytes");
      }
    }
    return bytes.flip();
  }

  static void writeAll(Duplex to, ByteBuffer bytes) throws IOException {
    while (bytes.hasRemaining()) {
      int _ = to.write(bytes);
    }
  }

  private static void expect(long wanted, long got, String what) throws IOException {
    if (wanted != got) {
      throw new IOException(what + ": " + got + " and not " + wanted);
    }
  }
}
