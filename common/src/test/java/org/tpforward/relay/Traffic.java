package org.tpforward.relay;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.Random;
import java.util.concurrent.Callable;
import java.util.concurrent.CompletableFuture;
import java.util.zip.CRC32C;

/** Bytes that a test sends and checks. */
final class Traffic {
  private Traffic() {}

  static <T> CompletableFuture<T> run(Callable<T> task) {
    CompletableFuture<T> result = new CompletableFuture<>();
    Thread.ofPlatform()
        .daemon()
        .start(() -> {
          try {
            result.complete(task.call());
          } catch (Throwable e) {
            result.completeExceptionally(e);
          }
        });
    return result;
  }

  /** Writes in pieces of 1 byte to 300 KiB, then half-closes; gives the checksum. */
  static long send(Duplex to, long total, long seed) throws IOException {
    Random random = new Random(seed);
    byte[] noise = new byte[300 << 10];
    random.nextBytes(noise);
    ByteBuffer buffer = ByteBuffer.allocateDirect(noise.length).put(noise);
    CRC32C sum = new CRC32C();
    for (long left = total; left > 0; ) {
      int size = (int) Math.min(left, 1 + random.nextInt(1 << random.nextInt(19)));
      size = Math.min(size, noise.length);
      buffer.clear().putInt(0, random.nextInt()).limit(size);
      sum.update(buffer.duplicate());
      to.write(buffer);
      left -= size;
    }
    to.shutdownOutput();
    return sum.getValue();
  }

  /** Reads to the end; gives the checksum. */
  static long receive(Duplex from) throws IOException {
    ByteBuffer buffer = ByteBuffer.allocateDirect(64 << 10);
    CRC32C sum = new CRC32C();
    while (from.read(buffer.clear()) >= 0) {
      sum.update(buffer.flip());
    }
    return sum.getValue();
  }

  static void write(Duplex to, String text) throws IOException {
    to.write(ByteBuffer.wrap(text.getBytes(StandardCharsets.US_ASCII)));
  }

  /** Reads so many characters, or what there is before the end. */
  static String read(Duplex from, int length) throws IOException {
    StringBuilder text = new StringBuilder();
    while (text.length() < length) {
      ByteBuffer buffer = ByteBuffer.allocate(length - text.length());
      if (from.read(buffer) < 0) {
        return text + "<end>";
      }
      text.append(new String(buffer.array(), 0, buffer.position(), StandardCharsets.US_ASCII));
    }
    return text.toString();
  }
}
