package org.tpforward.bench.micro;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.ReadableByteChannel;
import java.nio.channels.WritableByteChannel;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Fork;
import org.openjdk.jmh.annotations.Measurement;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Param;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.Warmup;
import org.tpforward.dbus.Body;
import org.tpforward.dbus.Header;
import org.tpforward.dbus.MessageReader;
import org.tpforward.dbus.MessageType;
import org.tpforward.dbus.MessageWriter;
import org.tpforward.dbus.Value;

/** A stream of equal messages that is cut into messages, each of which passes on unchanged. */
@State(Scope.Thread)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.NANOSECONDS)
@Warmup(iterations = 3, time = 1)
@Measurement(iterations = 3, time = 1)
@Fork(1)
public class Framing {
  /** Bytes of each body. */
  @Param({"16", "1024", "65536"})
  public int size;

  private final MessageReader reader;
  private final MessageWriter writer;
  private byte[] message = {};

  /** Made by JMH. */
  public Framing() {
    reader = new MessageReader(new Repeating());
    writer = new MessageWriter(new Nowhere());
  }

  /** One message. */
  @Benchmark
  public void pass() throws IOException {
    Header header = reader.next();
    if (header != null) {
      writer.pass(header, reader);
      if (!reader.hasBuffered()) {
        writer.flush();
      }
    }
  }

  private byte[] message() {
    if (message.length == 0) {
      byte[] body = Body.encode(ByteOrder.nativeOrder(), List.of(Value.of(new byte[size])));
      message =
          Messages.bytes(
              Header.builder(MessageType.SIGNAL)
                  .serial(7)
                  .path("/org/freedesktop/Telepathy/Connection/a/b/c")
                  .interfaceName("org.freedesktop.Telepathy.Connection.Interface.Bench")
                  .member("Happened")
                  .sender(":1.7")
                  .signature("ay"),
              body);
    }
    return message;
  }

  /** The message, again and again. */
  private final class Repeating implements ReadableByteChannel {
    private int at;

    @Override
    public int read(ByteBuffer dst) {
      byte[] repeated = message();
      int wanted = dst.remaining();
      while (dst.hasRemaining()) {
        int count = Math.min(dst.remaining(), repeated.length - at);
        dst.put(repeated, at, count);
        at = (at + count) % repeated.length;
      }
      return wanted;
    }

    @Override
    public boolean isOpen() {
      return true;
    }

    @Override
    public void close() {}
  }

  private static final class Nowhere implements WritableByteChannel {
    @Override
    public int write(ByteBuffer src) {
      int count = src.remaining();
      src.position(src.limit());
      return count;
    }

    @Override
    public boolean isOpen() {
      return true;
    }

    @Override
    public void close() {}
  }
}
