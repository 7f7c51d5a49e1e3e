package org.tpforward.agent.bus;

import static java.util.Objects.requireNonNull;

import java.io.Closeable;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import org.tpforward.agent.forward.Sockets;
import org.tpforward.dbus.Body;
import org.tpforward.dbus.Header;
import org.tpforward.dbus.MessageReader;
import org.tpforward.dbus.MessageType;
import org.tpforward.dbus.MessageWriter;
import org.tpforward.dbus.SaslServer;
import org.tpforward.dbus.Value;
import org.tpforward.socket.Connection;
import org.tpforward.socket.Endpoint;
import org.tpforward.socket.Listener;
import org.tpforward.socket.PeerCredentials;

/**
 * A bus that says what a test wants, and so can lie. What no test has to say it does in order:
 * Hello, AddMatch, GetNameOwner, and GetAll of a file that is sent on a Unix socket.
 */
final class ScriptedBus implements Closeable {
  static final String CM = ":1.1000";
  private static final String BUS = "org.freedesktop.DBus";

  /** Handles a call in the place of the CM. */
  @FunctionalInterface
  interface Handler {
    void handle(Link link, Header call) throws Exception;
  }

  /** One connection to the bus. */
  final class Link {
    private final Connection stream;
    private final MessageWriter writer;
    private final AtomicLong serials = new AtomicLong();
    final String name = ":1." + names.incrementAndGet();

    private Link(Connection stream) {
      this.stream = stream;
      this.writer = new MessageWriter(stream);
    }

    /** Sends a message in somebody's name. */
    void send(String sender, Header.Builder message, Value... arguments) throws IOException {
      List<Value> values = List.of(arguments);
      byte[] body = Body.encode(ByteOrder.LITTLE_ENDIAN, values);
      writer.write(
          message
              .order(ByteOrder.LITTLE_ENDIAN)
              .serial(serials.incrementAndGet())
              .sender(sender)
              .destination(name)
              .signature(Body.signature(values))
              .build(body.length),
          body);
      writer.flush();
    }

    void reply(String sender, long serial, Value... arguments) throws IOException {
      send(sender, Header.builder(MessageType.METHOD_RETURN).replySerial(serial), arguments);
    }

    /** Sends what need not be a message. */
    void raw(byte[] bytes) throws IOException {
      stream.write(ByteBuffer.wrap(bytes));
    }
  }

  private final Listener listener;
  private final AtomicInteger names = new AtomicInteger();
  private final Map<String, Handler> handlers = new ConcurrentHashMap<>();
  private final Set<Connection> open = ConcurrentHashMap.newKeySet();
  private final Map<String, Link> links = new ConcurrentHashMap<>();

  ScriptedBus(Path socket) throws IOException {
    listener = Listener.open(new Endpoint.UnixPath(socket.toString()));
    on("Hello", (link, call) -> link.reply(BUS, call.serial(), Value.of(link.name)));
    on("AddMatch", (link, call) -> link.reply(BUS, call.serial()));
    on("GetId", (link, call) -> link.reply(BUS, call.serial(), Value.of("0".repeat(32))));
    on("GetNameOwner", (link, call) -> link.reply(BUS, call.serial(), Value.of(CM)));
    on(
        "GetAll",
        (link, call) ->
            link.reply(
                CM,
                call.serial(),
                Value.dict(Map.of("Size", Value.t(9), "AvailableSocketTypes", Cm.sockets("0:0")))));
    Thread.ofPlatform().daemon().name("bus").start(this::acceptAll);
  }

  /** What it does when that member is called, be it of the bus or of a CM. */
  void on(String member, Handler handler) {
    handlers.put(member, handler);
  }

  /** The connection with that name. */
  Link link(String name) throws InterruptedException {
    Sockets.await(() -> links.containsKey(name));
    return requireNonNull(links.get(name));
  }

  private void acceptAll() {
    try {
      while (true) {
        Connection connection = listener.accept();
        open.add(connection);
        Thread.ofPlatform().daemon().name("bus link").start(() -> serve(connection));
      }
    } catch (IOException e) {
      // Closed.
    }
  }

  private void serve(Connection connection) {
    try (connection) {
      SaslServer.Result sasl =
          SaslServer.authenticate(
              connection,
              PeerCredentials.of(connection).uid(),
              uid -> true,
              "0".repeat(32),
              Sockets.PATIENCE);
      Link link = new Link(connection);
      links.put(link.name, link);
      MessageReader reader = new MessageReader(connection, sasl.leftOver());
      for (Header header; (header = reader.next()) != null; ) {
        reader.skipBody();
        Handler handler = handlers.get(String.valueOf(header.member()));
        if (handler != null) {
          handler.handle(link, header);
        }
      }
    } catch (Exception e) {
      // The client has left, or the test has.
    }
  }

  @Override
  public void close() {
    listener.close();
    open.forEach(Connection::close);
  }
}
