package org.tpforward.dbus;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.sun.management.ThreadMXBean;
import java.io.ByteArrayOutputStream;
import java.io.EOFException;
import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.ReadableByteChannel;
import java.nio.channels.WritableByteChannel;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Objects;
import java.util.Random;
import java.util.concurrent.CountDownLatch;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class MessageStreamTest {
  private static final ByteOrder LE = ByteOrder.LITTLE_ENDIAN;

  private static byte[] message(int bodyLength, int fill) {
    byte[] body = new byte[bodyLength];
    Arrays.fill(body, (byte) fill);
    RawHeader header = RawHeader.call(fill % 2 == 0 ? LE : ByteOrder.BIG_ENDIAN).serial(fill);
    return concat(
        bodyLength == 0 ? header.toArray() : header.body("ay", bodyLength).toArray(), body);
  }

  private static byte[] concat(byte[]... parts) {
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    for (byte[] part : parts) {
      out.writeBytes(part);
    }
    return out.toByteArray();
  }

  /** The next message, where there must be one. */
  private static Header next(MessageReader reader) throws IOException {
    return Objects.requireNonNull(reader.next());
  }

  /** Lengths around every boundary of the buffers. */
  private static byte[] manyMessages() {
    Random random = new Random(3);
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    for (int i = 1; i < 200; i++) {
      int length = i % 20 == 0 ? random.nextInt(200_000) : random.nextInt(i % 7 == 0 ? 9000 : 300);
      out.writeBytes(message(length, i % 120 + 1));
    }
    return out.toByteArray();
  }

  @ParameterizedTest
  @ValueSource(ints = {1, 15, 16, 17, 4096, 65536, Integer.MAX_VALUE})
  void whatIsPassedOnIsByteForByteTheSame(int piece) throws Exception {
    byte[] stream = manyMessages();
    ScriptedChannel in = new ScriptedChannel(stream, piece);
    ScriptedChannel out = new ScriptedChannel(new byte[0]);
    MessageReader reader = new MessageReader(in);
    MessageWriter writer = new MessageWriter(out);
    Header header;
    int messages = 0;
    while ((header = reader.next()) != null) {
      if (messages++ % 3 == 0) {
        writer.write(header, reader.readBody(1 << 20));
      } else {
        writer.pass(header, reader);
      }
      if (!reader.hasBuffered()) {
        writer.flush();
      }
    }
    writer.flush();
    assertThat(messages).isEqualTo(199);
    assertThat(out.written()).isEqualTo(stream);
    assertThat(out.largest).isLessThanOrEqualTo(200_000);
  }

  @Test
  void manySmallMessagesAreOneReadAndOneWrite() throws Exception {
    byte[] stream = concat(message(10, 1), message(0, 2), message(100, 3), message(7, 4));
    ScriptedChannel in = new ScriptedChannel(stream);
    ScriptedChannel out = new ScriptedChannel(new byte[0]);
    MessageReader reader = new MessageReader(in);
    MessageWriter writer = new MessageWriter(out);
    for (int i = 0; i < 4; i++) {
      writer.pass(next(reader), reader);
      assertThat(reader.hasBuffered()).isEqualTo(i < 3);
    }
    assertThat(out.writes).isZero();
    writer.flush();
    assertThat(in.reads).isEqualTo(1);
    assertThat(out.writes).isEqualTo(1);
    assertThat(out.written()).isEqualTo(stream);
  }

  @Test
  void aPartOfAMessageDoesNotCountAsBuffered() throws Exception {
    byte[] first = message(10, 1);
    byte[] stream = concat(first, message(100, 2));
    for (int extra = 0; extra < stream.length - first.length; extra++) {
      MessageReader reader =
          new MessageReader(new ScriptedChannel(Arrays.copyOf(stream, first.length + extra)));
      next(reader);
      reader.readBody(10);
      assertThat(reader.hasBuffered()).isFalse();
    }
  }

  /** A peer that sends the rest only once it has seen what came before. */
  @Test
  void nothingLiesInTheWriterWhileABodyIsWaitedFor() throws Exception {
    byte[] first = message(10, 1);
    byte[] second = message(5000, 2);
    byte[] stream = concat(first, second);
    ScriptedChannel out = new ScriptedChannel(new byte[0]);
    ByteBuffer input = ByteBuffer.wrap(stream);
    int firstRead = first.length + 200;
    ReadableByteChannel in =
        new ReadableByteChannel() {
          @Override
          public int read(ByteBuffer target) {
            if (!input.hasRemaining()) {
              return -1;
            }
            assertThat(out.written()).hasSize(input.position());
            int n = Math.min(target.remaining(), input.position() == 0 ? firstRead : 1000);
            n = Math.min(n, input.remaining());
            target.put(input.slice(input.position(), n));
            input.position(input.position() + n);
            return n;
          }

          @Override
          public boolean isOpen() {
            return true;
          }

          @Override
          public void close() {}
        };
    MessageReader reader = new MessageReader(in);
    MessageWriter writer = new MessageWriter(out);
    Header header;
    while ((header = reader.next()) != null) {
      writer.pass(header, reader);
      if (!reader.hasBuffered()) {
        writer.flush();
      }
    }
    assertThat(out.written()).isEqualTo(stream);
  }

  @Test
  void bytesLeftOverFromSaslComeFirst() throws Exception {
    byte[] stream = concat(message(10, 1), message(9000, 2));
    for (int cut : new int[] {0, 1, 16, 100, 9000, stream.length}) {
      MessageReader reader =
          new MessageReader(
              new ScriptedChannel(Arrays.copyOfRange(stream, cut, stream.length)),
              ByteBuffer.wrap(stream, 0, cut));
      assertThat(next(reader).serial()).isEqualTo(1);
      assertThat(reader.readBody(10)).hasSize(10);
      assertThat(next(reader).serial()).isEqualTo(2);
      assertThat(reader.readBody(9000)).hasSize(9000).containsOnly(2);
      assertThat(reader.next()).isNull();
    }
  }

  @Test
  void bodiesAreSkippedAndCopied() throws Exception {
    byte[] stream = concat(message(100_000, 1), message(100_000, 2), message(1, 3));
    MessageReader reader = new MessageReader(new ScriptedChannel(stream));
    ScriptedChannel out = new ScriptedChannel(new byte[0]);
    next(reader);
    reader.skipBody();
    next(reader);
    reader.copyBody(out);
    assertThat(out.written()).hasSize(100_000).containsOnly(2);
    assertThat(out.largest).isLessThanOrEqualTo(64 << 10);
    assertThat(next(reader).serial()).isEqualTo(3);
  }

  @Test
  void theEndBetweenMessagesIsNullAndWithinOneIsAnException() throws Exception {
    byte[] stream = concat(message(5000, 1));
    assertThat(new MessageReader(new ScriptedChannel(new byte[0])).next()).isNull();
    for (int cut = 1; cut < stream.length; cut += cut < 200 ? 1 : 777) {
      byte[] part = Arrays.copyOf(stream, cut);
      assertThatThrownBy(
              () -> {
                MessageReader reader = new MessageReader(new ScriptedChannel(part));
                next(reader);
                reader.readBody(5000);
              })
          .isInstanceOf(EOFException.class);
      assertThatThrownBy(
              () -> {
                MessageReader reader = new MessageReader(new ScriptedChannel(part));
                next(reader);
                reader.skipBody();
              })
          .isInstanceOf(EOFException.class);
    }
  }

  @Test
  void aBodyOverTheLimitIsLeftForCopyingOrSkipping() throws Exception {
    MessageReader reader =
        new MessageReader(new ScriptedChannel(concat(message(50, 1), message(1, 2))));
    next(reader);
    assertThatThrownBy(() -> reader.readBody(49))
        .isInstanceOf(ProtocolException.class)
        .hasMessageContaining("body of 50 bytes, the limit here is 49");
    reader.skipBody();
    assertThat(next(reader).serial()).isEqualTo(2);
  }

  @Test
  void theNextMessageCannotBeReadOverABody() throws Exception {
    MessageReader reader = new MessageReader(new ScriptedChannel(message(50, 1)));
    next(reader);
    assertThatThrownBy(reader::next).isInstanceOf(IllegalStateException.class);
  }

  @Test
  void aLongHeaderIsReadWhole() throws Exception {
    byte[] raw =
        new RawHeader(LE).text(1, "o", "/" + "a".repeat(900_000)).text(3, "s", "M").toArray();
    MessageReader reader =
        new MessageReader(new ScriptedChannel(concat(raw, message(3, 5)), 10_000));
    Header header = next(reader);
    assertThat(header.path()).hasSize(900_001);
    assertThat(header.raw()).isEqualTo(raw);
    assertThat(next(reader).serial()).isEqualTo(5);
  }

  @Test
  void aPromisedBodyTakesNoMemoryBeforeItIsThere() {
    byte[] stream = concat(RawHeader.call(LE).body("ay", 100 << 20).toArray(), new byte[1000]);
    ThreadMXBean threads = (ThreadMXBean) ManagementFactory.getThreadMXBean();
    MessageReader reader = new MessageReader(new ScriptedChannel(stream));
    long before = threads.getCurrentThreadAllocatedBytes();
    assertThatThrownBy(
            () -> {
              next(reader);
              reader.readBody(128 << 20);
            })
        .isInstanceOf(EOFException.class);
    assertThat(threads.getCurrentThreadAllocatedBytes() - before).isLessThan(4 << 20);
  }

  @Test
  void whatPoursIsReadInLargePieces() throws Exception {
    byte[] small = message(50, 1);
    byte[] stream = new byte[10_000 * small.length];
    for (int at = 0; at < stream.length; at += small.length) {
      System.arraycopy(small, 0, stream, at, small.length);
    }
    ScriptedChannel in = new ScriptedChannel(stream);
    ScriptedChannel out = new ScriptedChannel(new byte[0]);
    MessageReader reader = new MessageReader(in);
    MessageWriter writer = new MessageWriter(out);
    Header header;
    while ((header = reader.next()) != null) {
      writer.pass(header, reader);
      if (!reader.hasBuffered()) {
        writer.flush();
      }
    }
    assertThat(out.written()).isEqualTo(stream);
    assertThat(in.reads).isLessThan(2 * stream.length / (64 << 10));
    assertThat(out.writes).isLessThan(2 * stream.length / (64 << 10));
  }

  @Test
  void aBufferGrowsWithTheTrafficAndShrinksAgain() {
    BufferSize size = new BufferSize();
    int length = BufferSize.MIN;
    for (int i = 0; i < 3; i++) {
      size.used(length);
      length = size.next(length);
    }
    assertThat(length).isEqualTo(BufferSize.MAX);
    size.used(BufferSize.MIN + 1);
    assertThat(size.next(length)).isEqualTo(BufferSize.MAX);
    for (int i = 0; i < 4; i++) {
      assertThat(size.next(length)).isEqualTo(BufferSize.MAX);
      size.used(100);
    }
    assertThat(size.next(length)).isEqualTo(BufferSize.MIN);
  }

  /** A message of 128 MiB in all, header included: the most that the specification allows. */
  private static final class Largest implements ReadableByteChannel, WritableByteChannel {
    private static final long LENGTH = 128L << 20;
    private final byte[] header;
    private final byte[] pattern = new byte[64 << 10];
    long sent;
    long received;
    int largest;

    Largest() {
      int headerLength = RawHeader.call(LE).body("aay", 1).toArray().length;
      header = RawHeader.call(LE).body("aay", LENGTH - headerLength).toArray();
      new Random(1).nextBytes(pattern);
    }

    /** What stands at this place in the message, up to some length. */
    private ByteBuffer expected(long at, int most) {
      if (at < header.length) {
        return ByteBuffer.wrap(header, (int) at, Math.min(most, header.length - (int) at));
      }
      int from = (int) (at % pattern.length);
      return ByteBuffer.wrap(pattern, from, Math.min(most, pattern.length - from));
    }

    @Override
    public int read(ByteBuffer target) {
      ByteBuffer piece = expected(sent, (int) Math.min(target.remaining(), LENGTH - sent));
      int n = piece.remaining();
      target.put(piece);
      sent += n;
      return n == 0 ? -1 : n;
    }

    @Override
    public int write(ByteBuffer source) {
      int n = source.remaining();
      largest = Math.max(largest, n);
      while (source.hasRemaining()) {
        ByteBuffer piece = expected(received, source.remaining());
        received += piece.remaining();
        assertThat(source.slice(source.position(), piece.remaining()).equals(piece)).isTrue();
        source.position(source.position() + piece.remaining());
      }
      return n;
    }

    @Override
    public boolean isOpen() {
      return true;
    }

    @Override
    public void close() {}
  }

  @Test
  void theLargestMessagePassesInSmallPieces() throws Exception {
    Largest channel = new Largest();
    ThreadMXBean threads = (ThreadMXBean) ManagementFactory.getThreadMXBean();
    long before = threads.getCurrentThreadAllocatedBytes();
    MessageReader reader = new MessageReader(channel);
    MessageWriter writer = new MessageWriter(channel);
    writer.pass(next(reader), reader);
    writer.flush();
    assertThat(channel.received).isEqualTo(128L << 20);
    assertThat(channel.largest).isLessThanOrEqualTo(64 << 10);
    assertThat(threads.getCurrentThreadAllocatedBytes() - before).isLessThan(8 << 20);
    assertThat(reader.next()).isNull();
  }

  @Test
  void messagesOfManyThreadsDoNotMix() throws Exception {
    ScriptedChannel out = new ScriptedChannel(new byte[0]);
    MessageWriter writer = new MessageWriter(out);
    CountDownLatch start = new CountDownLatch(1);
    List<Thread> threads = new ArrayList<>();
    List<Throwable> failures = new ArrayList<>();
    for (int t = 1; t <= 4; t++) {
      int id = t;
      threads.add(
          Thread.ofPlatform()
              .start(() -> {
                try {
                  start.await();
                  for (int i = 0; i < 200; i++) {
                    MessageReader reader =
                        new MessageReader(new ScriptedChannel(message(i * 97, id), 5000));
                    Header header = next(reader);
                    if (i % 2 == 0) {
                      writer.pass(header, reader);
                    } else {
                      writer.write(header, reader.readBody(1 << 20));
                    }
                    writer.flush();
                  }
                } catch (Exception e) {
                  synchronized (failures) {
                    failures.add(e);
                  }
                }
              }));
    }
    start.countDown();
    for (Thread thread : threads) {
      thread.join();
    }
    assertThat(failures).isEmpty();
    int[] seen = new int[5];
    MessageReader reader = new MessageReader(new ScriptedChannel(out.written()));
    Header header;
    while ((header = reader.next()) != null) {
      byte[] body = reader.readBody(1 << 20);
      for (byte b : body) {
        assertThat((long) b).isEqualTo(header.serial());
      }
      seen[(int) header.serial()]++;
    }
    assertThat(seen).containsExactly(0, 200, 200, 200, 200);
  }

  @Test
  void afterAFailureNothingIsWrittenAnyMore() throws Exception {
    ScriptedChannel out = new ScriptedChannel(new byte[0]);
    MessageWriter writer = new MessageWriter(out);
    byte[] cut = Arrays.copyOf(message(90_000, 1), 5000);
    MessageReader reader = new MessageReader(new ScriptedChannel(cut));
    Header header = next(reader);
    assertThatThrownBy(() -> writer.pass(header, reader)).isInstanceOf(EOFException.class);
    int written = out.written().length;
    Header other = Header.parse(message(0, 2));
    assertThatThrownBy(() -> writer.write(other, new byte[0])).isInstanceOf(IOException.class);
    assertThatThrownBy(writer::flush).isInstanceOf(IOException.class);
    assertThat(out.written()).hasSize(written);
  }

  @Test
  void headerAndBodyMustAgree() throws Exception {
    MessageWriter writer = new MessageWriter(new ScriptedChannel(new byte[0]));
    MessageReader reader = new MessageReader(new ScriptedChannel(message(50, 1)));
    Header header = next(reader);
    assertThatThrownBy(() -> writer.write(header, new byte[49]))
        .isInstanceOf(IllegalArgumentException.class);
    Header other = header.withBodyLength(51);
    assertThatThrownBy(() -> writer.pass(other, reader))
        .isInstanceOf(IllegalArgumentException.class);
    writer.pass(header, reader);
  }
}
