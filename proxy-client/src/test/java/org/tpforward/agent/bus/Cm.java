package org.tpforward.agent.bus;

import java.io.IOException;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import org.tpforward.agent.forward.Sockets;
import org.tpforward.dbus.Value;
import org.tpforward.socket.Endpoint;
import org.tpforward.telepathy.Addresses;
import org.tpforward.telepathy.Names;

/** A connection manager that does what a test says. Its calls are handled one after the other. */
final class Cm implements AutoCloseable {
  static final String PATH = "/org/freedesktop/Telepathy/Connection/fake/x/y/Channel1";

  /** Handles one call. */
  @FunctionalInterface
  interface Handler {
    void handle(Peer.Received call) throws Exception;
  }

  final Peer peer;
  private final Map<String, Handler> handlers = new ConcurrentHashMap<>();
  private final Map<String, Value.Dict> properties = new ConcurrentHashMap<>();
  private final BlockingQueue<Peer.Received> calls = new LinkedBlockingQueue<>();

  Cm(Path bus) throws Exception {
    peer = Peer.connect(bus);
    on("GetAll", call -> peer.reply(call, all(call)));
    on("Get", call -> peer.reply(call, one(call)));
    Thread.ofPlatform().daemon().name("cm").start(this::serve);
  }

  /** What it does when that member is called. */
  Cm on(String member, Handler handler) {
    handlers.put(member, handler);
    return this;
  }

  /** Its channel's properties of one interface. */
  void properties(String interfaceName, Map<String, Value> values) {
    properties.put(interfaceName, Value.dict(values));
  }

  /** Listens there, and says so when that member is called. */
  Cm answering(String member, Endpoint where) {
    return on(member, call -> peer.reply(call, new Value.Variant(Addresses.toValue(where))));
  }

  /** A file of that size, and on which sockets it can be sent. */
  void file(long size, String... sockets) {
    properties(
        Names.FILE_TRANSFER,
        Map.of(
            "Size",
            Value.t(size),
            "InitialOffset",
            Value.t(0),
            "AvailableSocketTypes",
            sockets(sockets)));
  }

  /** A tube, and on which sockets it can be served. */
  void tube(String... sockets) {
    properties(Names.STREAM_TUBE, Map.of("SupportedSocketTypes", sockets(sockets)));
  }

  /** {@code "0:0,3"} says: Unix with Localhost and Credentials. */
  static Value.Dict sockets(String... entries) {
    return new Value.Dict(
        "u",
        "au",
        Arrays.stream(entries)
            .map(e -> e.split(":", -1))
            .map(e -> new Value.Entry(Value.u(Long.parseLong(e[0])), numbers(e[1])))
            .toList());
  }

  private static Value.Array numbers(String list) {
    return new Value.Array(
        "u",
        Arrays.stream(list.split(",", -1)).map(n -> (Value) Value.u(Long.parseLong(n))).toList());
  }

  String name() {
    return peer.name();
  }

  /** The next call that came, handled or not, GetAll and Get left out. */
  Peer.Received next() throws Exception {
    Peer.Received call = calls.poll(Sockets.PATIENCE.toSeconds(), TimeUnit.SECONDS);
    if (call == null) {
      throw new AssertionError("the CM was not called");
    }
    return call;
  }

  /** Whether nothing came that has not been taken. */
  boolean isUncalled() {
    return calls.isEmpty();
  }

  private Value all(Peer.Received call) throws IOException {
    return properties.getOrDefault(((Value.Str) call.argument(0)).value(), Value.dict(Map.of()));
  }

  private Value one(Peer.Received call) throws IOException {
    Value.Dict of = (Value.Dict) all(call);
    Value value = of.get(((Value.Str) call.argument(1)).value());
    return value == null ? new Value.Variant(Value.of("no such property")) : value;
  }

  private void serve() {
    while (true) {
      try {
        Peer.Received call = peer.nextCall();
        if (!List.of("Get", "GetAll").contains(String.valueOf(call.header().member()))) {
          calls.add(call);
        }
        Handler handler = handlers.get(String.valueOf(call.header().member()));
        if (handler != null) {
          handler.handle(call);
        }
      } catch (InterruptedException e) {
        return;
      } catch (Exception e) {
        if (!peer.isConnected()) {
          return;
        }
        throw new IllegalStateException(e);
      }
    }
  }

  @Override
  public void close() {
    peer.close();
  }
}
