package org.tpforward.agent.bus;

import static org.assertj.core.api.Assertions.assertThat;

import com.sun.management.UnixOperatingSystemMXBean;
import java.io.ByteArrayOutputStream;
import java.lang.management.ManagementFactory;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.tpforward.agent.forward.OtherUser;
import org.tpforward.agent.forward.Sockets;
import org.tpforward.dbus.Body;
import org.tpforward.dbus.Header;
import org.tpforward.dbus.MessageType;
import org.tpforward.dbus.Value;
import org.tpforward.socket.Connection;
import org.tpforward.socket.Endpoint;
import org.tpforward.telepathy.Names;

/** Many clients, each with a stream of its own. */
class BusClientsTest {
  @TempDir Path directory;
  private TestBus bus;
  private AgentFixture agent;
  private Cm cm;

  @BeforeEach
  void start() throws Exception {
    bus = new TestBus(directory);
    agent = new AgentFixture(directory, bus.socket());
    cm = new Cm(bus.socket());
    cm.file(100, "0:0");
  }

  @AfterEach
  void stop() {
    cm.close();
    agent.close();
    bus.close();
  }

  private static CompletableFuture<Peer.Received> accept(Peer client, String cm) throws Exception {
    return client.start(
        client.callTo(cm, Cm.PATH, Names.FILE_TRANSFER, "AcceptFile"),
        Value.u(0),
        Value.u(0),
        new Value.Variant(Value.u(0)),
        Value.t(0));
  }

  @Test
  void eachHasItsOwnNameOnTheRemoteBus() throws Exception {
    try (Peer first = agent.client();
        Peer second = agent.client()) {
      assertThat(first.name()).startsWith(":").isNotEqualTo(second.name());
      assertThat(agent.control.isOurs(first.name())).isTrue();
      assertThat(agent.control.isOurs(cm.name())).isFalse();
      assertThat(agent.server.clients()).isEqualTo(2);
    }
    Sockets.await(() -> agent.server.clients() == 0);
  }

  @Test
  void whatStandsBehindAHeldCallKeepsItsOrderAndOthersGoOn() throws Exception {
    CompletableFuture<Peer.Received> held = new CompletableFuture<>();
    cm.on("GetAll", held::complete);
    cm.on("AcceptFile", call -> cm.peer.error(call, "org.example.No", "no"));
    try (Peer client = agent.client();
        Peer other = agent.client()) {
      client.send(client.callTo(cm.name(), "/x", "x.y", "First").flags(1));
      CompletableFuture<Peer.Received> accepted = accept(client, cm.name());
      for (int i = 0; i < 50; i++) {
        client.send(client.callTo(cm.name(), "/x", "x.y", "Behind").flags(1), Value.u(i));
      }
      Peer.Received getAll = Peer.get(held);
      assertThat(cm.next().is("First")).as("what was before it has gone out").isTrue();
      other.send(other.callTo(cm.name(), "/x", "x.y", "Other").flags(1));
      assertThat(cm.next().is("Other")).isTrue();
      // Its own stream from the bus goes on too.
      cm.peer.send(cm.peer.callTo(client.name(), "/x", "x.y", "ToYou").flags(1));
      client.next("ToYou");
      cm.peer.reply(
          getAll,
          Value.dict(Map.of("Size", Value.t(9), "AvailableSocketTypes", Cm.sockets("0:0"))));
      assertThat(cm.next().is("AcceptFile")).isTrue();
      for (int i = 0; i < 50; i++) {
        assertThat(cm.next().argument(0)).isEqualTo(Value.u(i));
      }
      assertThat(Peer.get(accepted).errorName()).isEqualTo("org.example.No");
    }
  }

  @Test
  void saslHelloAndCallsMayComeInOneWrite() throws Exception {
    ByteArrayOutputStream all = new ByteArrayOutputStream();
    all.write("\0AUTH EXTERNAL\r\nDATA\r\nBEGIN\r\n".getBytes(StandardCharsets.US_ASCII));
    all.write(call(1, "org.freedesktop.DBus", "Hello"));
    all.write(call(2, cm.name(), "AtOnce"));
    try (Connection client = Connection.connect(new Endpoint.UnixPath(agent.socket.toString()))) {
      client.write(ByteBuffer.wrap(all.toByteArray()));
      assertThat(cm.next().is("AtOnce")).isTrue();
    }
  }

  private static byte[] call(long serial, String destination, String member) throws Exception {
    Header header =
        Header.builder(MessageType.METHOD_CALL)
            .serial(serial)
            .destination(destination)
            .path("/org/freedesktop/DBus")
            .member(member)
            .build(Body.encode(ByteOrder.nativeOrder(), List.of()).length);
    return header.raw();
  }

  @Test
  void whoDoesNotReadStallsNobodyAndCostsABoundedBuffer() throws Exception {
    try (Connection deaf = Connection.connect(new Endpoint.UnixPath(agent.socket.toString()));
        Peer other = agent.client()) {
      ByteArrayOutputStream hello = new ByteArrayOutputStream();
      hello.write("\0AUTH EXTERNAL\r\nDATA\r\nBEGIN\r\n".getBytes(StandardCharsets.US_ASCII));
      hello.write(call(1, "org.freedesktop.DBus", "Hello"));
      hello.write(call(2, cm.name(), "Here"));
      deaf.write(ByteBuffer.wrap(hello.toByteArray()));
      String name = String.valueOf(cm.next().header().sender());
      long before = used();
      for (int i = 0; i < 64; i++) {
        cm.peer.send(
            cm.peer.callTo(name, "/x", "x.y", "Flood").flags(1), Value.of(new byte[1 << 20]));
      }
      other.roundTrip();
      cm.peer.send(cm.peer.callTo(other.name(), "/x", "x.y", "ToYou").flags(1));
      other.next("ToYou");
      assertThat(used() - before).as("bytes for 64 MiB that nobody reads").isLessThan(16 << 20);
    }
    Sockets.await(() -> agent.server.clients() == 0);
  }

  private static long used() {
    System.gc();
    Runtime runtime = Runtime.getRuntime();
    return runtime.totalMemory() - runtime.freeMemory();
  }

  @Test
  void twoHundredAtOnceLeaveNothing() throws Exception {
    try (Peer one = agent.client()) {
      one.roundTrip(); // Whatever is made once has been made.
    }
    Sockets.await(() -> agent.server.clients() == 0);
    long descriptors = descriptors();
    int threads = Thread.activeCount();
    List<CompletableFuture<Peer>> starting = new ArrayList<>();
    for (int i = 0; i < 200; i++) {
      starting.add(Sockets.start(agent::client));
    }
    List<Peer> clients = new ArrayList<>();
    for (CompletableFuture<Peer> client : starting) {
      clients.add(Peer.get(client));
    }
    for (Peer client : clients) {
      client.roundTrip();
    }
    assertThat(agent.server.clients()).isEqualTo(200);
    assertThat(clients.stream().map(Peer::name).distinct()).hasSize(200);
    clients.forEach(Peer::close);
    Sockets.await(() -> agent.server.clients() == 0);
    Sockets.await(() -> descriptors() <= descriptors && Thread.activeCount() <= threads);
    assertThat(agent.server.served()).isEqualTo(201);
  }

  private static long descriptors() {
    return ((UnixOperatingSystemMXBean) ManagementFactory.getOperatingSystemMXBean())
        .getOpenFileDescriptorCount();
  }

  @Test
  void anotherUserIsGoneBeforeAnythingHappens() throws Exception {
    OtherUser.open(directory);
    try (Logs logs = new Logs()) {
      assertThat(OtherUser.connectTo(new Endpoint.UnixPath(agent.socket.toString())))
          .isIn("closed after 0", "reset after 0");
      logs.await("WARN", "uid 12345", "not allowed");
    }
    assertThat(agent.server.refusedConnections()).isEqualTo(1);
    assertThat(agent.server.served()).isZero();
  }

  @Test
  void allAreDisconnectedWhenTheBusEndsAndTheSocketStays() throws Exception {
    try (Peer client = agent.client()) {
      bus.close();
      client.awaitEnd();
    }
    Sockets.await(() -> agent.server.clients() == 0);
    bus = new TestBus(directory);
    try (Peer again = agent.client()) {
      again.roundTrip();
    }
  }

  @Test
  void noneSurvivesTheAgentNotEvenWhoIsStillAuthenticating() throws Exception {
    try (Peer client = agent.client();
        Connection silent = Connection.connect(new Endpoint.UnixPath(agent.socket.toString()))) {
      silent.write(ByteBuffer.wrap(new byte[1]));
      agent.server.close();
      client.awaitEnd();
      Sockets.awaitEnd(silent);
    }
    Sockets.await(() -> agent.server.clients() == 0);
  }
}
