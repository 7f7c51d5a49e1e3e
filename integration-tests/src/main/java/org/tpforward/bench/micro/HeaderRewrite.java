package org.tpforward.bench.micro;

import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Fork;
import org.openjdk.jmh.annotations.Measurement;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.Warmup;
import org.tpforward.dbus.Body;
import org.tpforward.dbus.Header;
import org.tpforward.dbus.MessageType;
import org.tpforward.dbus.ProtocolException;
import org.tpforward.dbus.Value;
import org.tpforward.socket.Endpoint;
import org.tpforward.telepathy.Addresses;
import org.tpforward.telepathy.Crossing;
import org.tpforward.telepathy.Crossings;

/** What a header costs that is only read, and a message whose address is replaced. */
@State(Scope.Thread)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.NANOSECONDS)
@Warmup(iterations = 3, time = 1)
@Measurement(iterations = 3, time = 1)
@Fork(1)
public class HeaderRewrite {
  private static final ByteOrder ORDER = ByteOrder.nativeOrder();

  private final byte[] body =
      Body.encode(ORDER, List.of(address("/run/user/1000/telepathy/stream-1234")));
  private final byte[] header =
      Messages.header(
          Header.builder(MessageType.METHOD_RETURN)
              .serial(77)
              .replySerial(42)
              .sender(":1.7")
              .destination(":1.42")
              .signature("v"),
          body);
  private final byte[] call =
      Messages.header(
          Header.builder(MessageType.METHOD_CALL)
              .serial(42)
              .destination(":1.7")
              .path("/org/freedesktop/Telepathy/Connection/a/b/c/Channel1")
              .interfaceName("org.freedesktop.DBus")
              .member("GetConnectionUnixUser"),
          new byte[0]);

  private static Value address(String path) {
    return new Value.Variant(Addresses.toValue(new Endpoint.UnixPath(path)));
  }

  /** Reads the header of a call, and looks whether anything crosses in it. */
  @Benchmark
  public List<Crossing> read() throws ProtocolException {
    Header parsed = Header.parse(call);
    return Crossings.of(parsed.interfaceName(), parsed.member(), parsed.signature());
  }

  /** Reads a reply and writes it with another address. */
  @Benchmark
  public byte[] rewrite() throws ProtocolException {
    Header parsed = Header.parse(header);
    List<Value> values = new ArrayList<>(Body.decode(parsed.signature(), parsed.order(), body));
    values.set(0, address("/run/user/1000/tpforward/server/socket-5678"));
    byte[] changed = Body.encode(parsed.order(), values);
    parsed.withBodyLength(changed.length);
    return changed;
  }
}
