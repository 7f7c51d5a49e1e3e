package org.tpforward.server.bus;

import com.google.common.net.InetAddresses;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import org.tpforward.dbus.MessageType;
import org.tpforward.dbus.Value;
import org.tpforward.socket.Connection;
import org.tpforward.socket.Endpoint;
import org.tpforward.socket.Listener;
import org.tpforward.telepathy.AddressType;
import org.tpforward.telepathy.Addresses;

/**
 * A connection manager in a process of its own that does what a test says. Calls of {@link #TEST}
 * are the test's orders; to any other call it says what it was told to say to that member.
 */
final class CmMain {
  static final String NAME = "org.freedesktop.Telepathy.ConnectionManager.fake";

  /** To be answered without arguments. */
  static final Value NOTHING = Value.of("nothing");

  /** To be answered with an address, just after the channel has closed. */
  static final Value CLOSING = Value.of("closing");

  static final String TEST = "com.example.Orders";

  private final Peer peer;
  private final Path directory;
  private final Map<String, Value> answers = new ConcurrentHashMap<>();
  private String called = "";
  private final List<Connection> connected = new ArrayList<>(); // or they might be collected
  private int sockets;

  private CmMain(Peer peer, Path directory) {
    this.peer = peer;
    this.directory = directory;
  }

  /** Takes the bus's socket, a directory for its own ones and a name; says its unique name. */
  public static void main(String[] args) throws Exception {
    Peer peer = Peer.connect(new Endpoint.UnixPath(args[0]));
    peer.own(args[2]);
    System.out.println(peer.name());
    Thread.ofPlatform()
        .daemon()
        .start(() -> {
          try {
            System.in.readAllBytes();
          } catch (IOException e) {
            // The test has gone.
          }
          Runtime.getRuntime().halt(0);
        });
    CmMain cm = new CmMain(peer, Path.of(args[1]));
    while (true) {
      Peer.Received message = peer.take();
      if (message.header().type() == MessageType.METHOD_CALL) {
        cm.handle(message);
      }
    }
  }

  private void handle(Peer.Received call) throws Exception {
    String member = String.valueOf(call.header().member());
    if (TEST.equals(call.header().interfaceName())) {
      order(call, member);
      return;
    }
    called = called + member + "\n";
    Value answer = answers.get(member);
    if (answer == null) {
      peer.error(call, "org.freedesktop.Telepathy.Error.NotAvailable", "no answer to " + member);
    } else if (answer instanceof Value.Struct(List<Value> several)) {
      peer.reply(call, several.toArray(Value[]::new));
    } else if (answer.equals(NOTHING)) {
      peer.reply(call);
    } else if (answer.equals(CLOSING)) {
      peer.signal(
          String.valueOf(call.header().path()), "org.freedesktop.Telepathy.Channel", "Closed");
      peer.reply(call, new Value.Variant(Value.of(new byte[] {'/', 'x'})));
    } else {
      peer.reply(call, answer);
    }
  }

  private void order(Peer.Received order, String member) throws Exception {
    switch (member) {
      case "Listen" -> {
        AddressType type = AddressType.of(((Value.Uint32) order.argument(0)).value()).orElseThrow();
        Listener listener =
            Listener.open(
                switch (type) {
                  case UNIX ->
                      new Endpoint.UnixPath(directory.resolve("cm" + ++sockets).toString());
                  case ABSTRACT_UNIX ->
                      new Endpoint.UnixAbstract(
                          "tpforward-cm-" + ProcessHandle.current().pid() + "-" + ++sockets);
                  case IPV4 -> new Endpoint.Ip(InetAddresses.forString("127.0.0.1"), 0);
                  case IPV6 -> new Endpoint.Ip(InetAddresses.forString("::1"), 0);
                });
        Thread.ofPlatform().daemon().start(() -> greetAll(listener));
        peer.reply(order, new Value.Variant(Addresses.toValue(listener.endpoint())));
      }
      case "Answer" -> {
        answers.put(order.text(), order.argument(1).unwrap());
        peer.reply(order);
      }
      case "Called" -> {
        peer.reply(order, Value.of(called));
        called = "";
      }
      case "Signal" -> {
        List<Value> arguments = order.arguments();
        peer.signal(
            ((Value.Str) arguments.get(0)).value(),
            ((Value.Str) arguments.get(1)).value(),
            ((Value.Str) arguments.get(2)).value(),
            arguments.subList(3, arguments.size()).toArray(Value[]::new));
        peer.reply(order);
      }
      case "Own" -> peer.reply(order, peer.own(order.text()).argument(0));
      case "Release" -> {
        peer.callBus("ReleaseName", order.argument(0));
        peer.reply(order);
      }
      case "Connect" -> {
        AddressType type = AddressType.of(((Value.Uint32) order.argument(0)).value()).orElseThrow();
        Connection connection = Connection.connect(Addresses.parse(type, order.argument(1)));
        connected.add(connection);
        connection.write(ByteBuffer.wrap(new byte[] {'c', 'm'}));
        peer.reply(order);
      }
      default -> throw new IllegalArgumentException(member);
    }
  }

  private static void greetAll(Listener listener) {
    try {
      while (true) {
        listener.accept().write(ByteBuffer.wrap(new byte[] {'c', 'm'}));
      }
    } catch (IOException e) {
      // Who connected has gone.
    }
  }
}
