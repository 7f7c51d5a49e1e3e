package org.tpforward.bench;

import java.io.IOException;
import java.net.UnixDomainSocketAddress;
import java.nio.ByteOrder;
import java.nio.channels.SocketChannel;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicLong;
import org.tpforward.dbus.Body;
import org.tpforward.dbus.Header;
import org.tpforward.dbus.MessageReader;
import org.tpforward.dbus.MessageType;
import org.tpforward.dbus.MessageWriter;
import org.tpforward.dbus.SaslClient;
import org.tpforward.dbus.Value;
import org.tpforward.harness.HarnessException;
import org.tpforward.socket.Endpoint;
import org.tpforward.telepathy.Addresses;
import org.tpforward.telepathy.Names;

/**
 * A connection manager reduced to what the benchmark needs: channels whose sockets are those of the
 * load program, so that no byte goes through it. One daemon thread serves it.
 */
final class BenchCm implements AutoCloseable {
  private static final Duration PATIENCE = Duration.ofSeconds(30);
  private static final String CHANNELS = "/org/freedesktop/Telepathy/Connection/bench/b/b/";

  /** Unix sockets with Localhost, as an {@code a{uau}}. */
  private static final Value SOCKETS =
      new Value.Dict(
          "u",
          "au",
          List.of(new Value.Entry(Value.u(0), new Value.Array("u", List.of(Value.u(0))))));

  private record Served(String socket, long bytes) {}

  private final SocketChannel bus;
  private final MessageReader reader;
  private final MessageWriter writer;
  private final Map<String, Served> channels = new ConcurrentHashMap<>();
  private final AtomicLong serials = new AtomicLong(1);
  private final String name;

  private BenchCm(SocketChannel bus, MessageReader reader, String name) {
    this.bus = bus;
    this.reader = reader;
    this.writer = new MessageWriter(bus);
    this.name = name;
  }

  /** Connects to the bus at that path. */
  static BenchCm start(String path) {
    try {
      SocketChannel bus = SocketChannel.open(UnixDomainSocketAddress.of(Path.of(path)));
      MessageReader reader = new MessageReader(bus, SaslClient.external(bus, PATIENCE).leftOver());
      MessageWriter hello = new MessageWriter(bus);
      hello.write(
          Header.builder(MessageType.METHOD_CALL)
              .serial(1)
              .destination("org.freedesktop.DBus")
              .path("/org/freedesktop/DBus")
              .interfaceName("org.freedesktop.DBus")
              .member("Hello")
              .build(0),
          new byte[0]);
      hello.flush();
      Header reply = next(reader);
      List<Value> values = Body.decode(reply.signature(), reply.order(), reader.readBody(1 << 16));
      BenchCm cm = new BenchCm(bus, reader, ((Value.Str) values.getFirst()).value());
      Thread.ofPlatform().daemon().name("bench CM").start(cm::serve);
      return cm;
    } catch (IOException e) {
      throw new HarnessException("the bench's connection manager found no bus", e);
    }
  }

  private static Header next(MessageReader reader) throws IOException {
    Header header = reader.next();
    if (header == null) {
      throw new IOException("the bus closed the connection");
    }
    return header;
  }

  /** Its unique name. */
  String name() {
    return name;
  }

  /**
   * Makes a channel.
   *
   * @param socket what it hands out
   * @param bytes a file's size; nothing for a tube
   * @return its object path
   */
  String channel(String socket, long bytes) {
    String path = CHANNELS + "channel" + serials.getAndIncrement();
    channels.put(path, new Served(socket, bytes));
    return path;
  }

  /** The channel is over. */
  void close(String path) {
    channels.remove(path);
    try {
      send(
          Header.builder(MessageType.SIGNAL)
              .path(path)
              .interfaceName(Names.CHANNEL)
              .member("Closed"));
    } catch (IOException e) {
      throw new HarnessException("the bench's bus is gone", e);
    }
  }

  private void serve() {
    try {
      while (true) {
        Header header = next(reader);
        byte[] body = reader.readBody(1 << 20);
        if (header.type() == MessageType.METHOD_CALL) {
          answer(header, Body.decode(header.signature(), header.order(), body));
        }
      }
    } catch (IOException e) {
      // The bus has ended, or this CM.
    }
  }

  private void answer(Header call, List<Value> arguments) throws IOException {
    Served served = channels.get(String.valueOf(call.path()));
    if (served == null) {
      send(Header.errorTo(call, "org.freedesktop.DBus.Error.UnknownObject"));
      return;
    }
    switch (String.valueOf(call.member())) {
      case "GetAll" -> send(Header.returnTo(call), properties(arguments.getFirst(), served));
      case "Accept", "AcceptFile", "ProvideFile" ->
          send(
              Header.returnTo(call),
              new Value.Variant(Addresses.toValue(new Endpoint.UnixPath(served.socket()))));
      default -> send(Header.errorTo(call, "org.freedesktop.DBus.Error.UnknownMethod"));
    }
  }

  private static Value properties(Value interfaceName, Served served) {
    return interfaceName.equals(Value.of(Names.FILE_TRANSFER))
        ? Value.dict(
            Map.of(
                "Size",
                Value.t(served.bytes()),
                "InitialOffset",
                Value.t(0),
                "AvailableSocketTypes",
                SOCKETS))
        : Value.dict(Map.of("SupportedSocketTypes", SOCKETS));
  }

  private void send(Header.Builder header, Value... values) throws IOException {
    ByteOrder order = ByteOrder.nativeOrder();
    byte[] body = Body.encode(order, List.of(values));
    writer.write(
        header
            .order(order)
            .serial(serials.incrementAndGet())
            .signature(Body.signature(List.of(values)))
            .build(body.length),
        body);
    writer.flush();
  }

  @Override
  public void close() {
    try {
      bus.close();
    } catch (IOException e) {
      throw new HarnessException("closing a socket failed", e);
    }
  }
}
