package org.tpforward.ssh;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.ReadableByteChannel;
import java.nio.channels.WritableByteChannel;
import java.nio.charset.StandardCharsets;
import java.util.Random;
import java.util.concurrent.Callable;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.FutureTask;
import java.util.concurrent.TimeUnit;
import java.util.zip.CRC32C;

/** What tests send and receive: a seeded stream of bytes, known by its checksum. */
final class Bytes {
  private Bytes() {}

  /** Writes {@code total} bytes of the stream {@code seed} and returns their checksum. */
  static long send(WritableByteChannel to, long seed, long total) throws IOException {
    Random random = new Random(seed);
    CRC32C sum = new CRC32C();
    byte[] block = new byte[64 << 10];
    random.nextBytes(block);
    for (long left = total; left > 0; ) {
      block[(int) (left % block.length)]++;
      int count = (int) Math.min(left, 1 + random.nextInt(block.length));
      sum.update(block, 0, count);
      ByteBuffer bytes = ByteBuffer.wrap(block, 0, count);
      while (bytes.hasRemaining()) {
        to.write(bytes);
      }
      left -= count;
    }
    return sum.getValue();
  }

  /** What a reader saw until the end. */
  record Received(long count, long checksum) {}

  /** Reads until -1. */
  static Received drain(ReadableByteChannel from) throws IOException {
    CRC32C sum = new CRC32C();
    ByteBuffer buffer = ByteBuffer.allocateDirect(128 << 10);
    long count = 0;
    while (from.read(buffer.clear()) >= 0) {
      count += buffer.position();
      sum.update(buffer.flip());
    }
    return new Received(count, sum.getValue());
  }

  /** Reads exactly {@code count} bytes as text. */
  static String text(ReadableByteChannel from, int count) throws IOException {
    ByteBuffer buffer = ByteBuffer.allocate(count);
    while (buffer.hasRemaining()) {
      if (from.read(buffer) < 0) {
        throw new IOException("ended after " + buffer.position() + " of " + count + " bytes");
      }
    }
    return new String(buffer.array(), StandardCharsets.UTF_8);
  }

  static void write(WritableByteChannel to, String text) throws IOException {
    ByteBuffer bytes = ByteBuffer.wrap(text.getBytes(StandardCharsets.UTF_8));
    while (bytes.hasRemaining()) {
      to.write(bytes);
    }
  }

  /** Runs on a thread of its own. */
  static <T> CompletableFuture<T> async(Callable<T> work) {
    CompletableFuture<T> result = new CompletableFuture<>();
    FutureTask<T> task = new FutureTask<>(work);
    Thread.ofPlatform()
        .daemon()
        .start(() -> {
          task.run();
          try {
            result.complete(task.resultNow());
          } catch (IllegalStateException e) {
            result.completeExceptionally(task.exceptionNow());
          }
        });
    return result.orTimeout(60, TimeUnit.SECONDS);
  }
}
