package org.tpforward.server.bus;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import org.jspecify.annotations.Nullable;
import org.tpforward.dbus.Body;
import org.tpforward.dbus.Header;
import org.tpforward.dbus.MessageReader;
import org.tpforward.dbus.MessageType;
import org.tpforward.dbus.MessageWriter;
import org.tpforward.dbus.SaslClient;
import org.tpforward.dbus.Value;
import org.tpforward.relay.Duplex;
import org.tpforward.socket.Connection;
import org.tpforward.socket.Endpoint;

/**
 * A program on a bus that says exactly what a test wants. Replies are waited for; everything else
 * waits in a queue.
 */
final class Peer implements AutoCloseable {
  static final String BUS = "org.freedesktop.DBus";
  private static final String BUS_PATH = "/org/freedesktop/DBus";

  /** A message as it arrived. */
  @SuppressWarnings("ArrayRecordComponent") // never compared
  record Received(Header header, byte[] body) {
    List<Value> arguments() throws IOException {
      return Body.decode(header.signature(), header.order(), body);
    }

    Value argument(int index) throws IOException {
      return arguments().get(index);
    }

    String text() throws IOException {
      return ((Value.Str) argument(0)).value();
    }

    /** Name and text of an error; of anything else what it is. */
    String error() throws IOException {
      return header.type() == MessageType.ERROR
          ? header.errorName() + ": " + text()
          : header.type() + " " + arguments();
    }

    String errorName() {
      return String.valueOf(header.errorName());
    }

    boolean is(String member) {
      return member.equals(header.member());
    }
  }

  private final Duplex stream;
  private final MessageReader reader;
  private final MessageWriter writer;
  private final AtomicLong serials = new AtomicLong();
  private final Map<Long, CompletableFuture<Received>> calls = new ConcurrentHashMap<>();
  private final BlockingQueue<Received> received = new LinkedBlockingQueue<>();
  private final CompletableFuture<Void> end = new CompletableFuture<>();
  private String name = "";

  private Peer(Duplex stream, SaslClient.Result sasl) {
    this.stream = stream;
    this.reader = new MessageReader(stream, sasl.leftOver());
    this.writer = new MessageWriter(stream);
    Thread.ofPlatform().daemon().name("peer").start(this::readAll);
  }

  /** Authenticates, and says nothing more. */
  static Peer authenticated(Endpoint socket) throws IOException {
    Duplex stream = Connection.connect(socket);
    return new Peer(stream, SaslClient.external(stream, Tests.PATIENCE));
  }

  /** Authenticates and says Hello. */
  static Peer connect(Endpoint socket) throws Exception {
    Peer peer = authenticated(socket);
    peer.name = peer.callBus("Hello").text();
    return peer;
  }

  /** Its unique name. */
  String name() {
    return name;
  }

  /** A call to be sent. */
  static Header.Builder callTo(
      String destination, String path, @Nullable String interfaceName, String member) {
    return Header.builder(MessageType.METHOD_CALL)
        .destination(destination)
        .path(path)
        .interfaceName(interfaceName)
        .member(member);
  }

  /** Calls and waits for the reply, which may be an error. */
  Received call(
      String destination,
      String path,
      @Nullable String interfaceName,
      String member,
      Value... arguments)
      throws Exception {
    return Tests.get(start(callTo(destination, path, interfaceName, member), arguments));
  }

  Received callBus(String member, Value... arguments) throws Exception {
    return call(BUS, BUS_PATH, BUS, member, arguments);
  }

  /** Calls a method that every D-Bus library has. */
  Received ping(String destination) throws Exception {
    return call(destination, "/", "org.freedesktop.DBus.Peer", "Ping");
  }

  /** Sends a call; its reply is in the future. */
  CompletableFuture<Received> start(Header.Builder call, Value... arguments) throws IOException {
    CompletableFuture<Received> reply = new CompletableFuture<>();
    long serial = serials.incrementAndGet();
    calls.put(serial, reply);
    write(call.serial(serial), arguments);
    return reply;
  }

  /** Sends a message that has no reply. */
  void send(Header.Builder message, Value... arguments) throws IOException {
    write(message.serial(serials.incrementAndGet()), arguments);
  }

  /** Sends a message under that serial. */
  void write(Header.Builder message, Value... arguments) throws IOException {
    List<Value> values = List.of(arguments);
    byte[] body = Body.encode(ByteOrder.LITTLE_ENDIAN, values);
    writer.write(
        message.order(ByteOrder.LITTLE_ENDIAN).signature(Body.signature(values)).build(body.length),
        body);
    writer.flush();
  }

  /** Sends bytes that need not be a message. */
  void raw(byte[] bytes) throws IOException {
    stream.write(ByteBuffer.wrap(bytes));
  }

  void signal(String path, String interfaceName, String member, Value... arguments)
      throws IOException {
    send(
        Header.builder(MessageType.SIGNAL).path(path).interfaceName(interfaceName).member(member),
        arguments);
  }

  void reply(Received call, Value... arguments) throws IOException {
    send(Header.returnTo(call.header()), arguments);
  }

  void error(Received call, String errorName, String text) throws IOException {
    send(Header.errorTo(call.header(), errorName), Value.of(text));
  }

  void match(String rule) throws Exception {
    callBus("AddMatch", Value.of(rule));
  }

  Received own(String wellKnown) throws Exception {
    return callBus("RequestName", Value.of(wellKnown), Value.u(0));
  }

  /** The next message that is no reply to a call from here. */
  Received next() throws Exception {
    Received message = received.poll(Tests.PATIENCE.toSeconds(), TimeUnit.SECONDS);
    if (message == null) {
      throw new AssertionError("no message came");
    }
    return message;
  }

  /** As {@link #next}, however long that takes. */
  Received take() throws InterruptedException {
    return received.take();
  }

  /** The next one of that member; others are dropped. */
  Received next(String member) throws Exception {
    Received message = next();
    while (!message.is(member)) {
      message = next();
    }
    return message;
  }

  /** What has come and not been taken, after a round trip. */
  List<Received> all() throws Exception {
    roundTrip();
    return drained();
  }

  /** What has come and not been taken. */
  List<Received> drained() {
    List<Received> all = new ArrayList<>();
    received.drainTo(all);
    return all;
  }

  /** Waits until the other side has ended the connection. */
  void awaitEnd() throws Exception {
    Tests.get(end);
  }

  boolean isConnected() {
    return !end.isDone();
  }

  /** Whatever has been sent before has been handled by the bus when this returns. */
  void roundTrip() throws Exception {
    callBus("GetId");
  }

  private void readAll() {
    try {
      for (Header header; (header = reader.next()) != null; ) {
        Received message = new Received(header, reader.readBody(64 << 20));
        CompletableFuture<Received> call =
            header.replySerial() == 0 ? null : calls.remove(header.replySerial());
        if (call == null || !call.complete(message)) {
          received.add(message);
        }
      }
    } catch (IOException e) {
      // The end.
    }
    IOException why = new IOException("the connection has ended");
    calls.values().forEach(call -> call.completeExceptionally(why));
    end.complete(null);
  }

  @Override
  public void close() {
    stream.close();
  }
}
