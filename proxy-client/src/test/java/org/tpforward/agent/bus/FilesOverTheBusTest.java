package org.tpforward.agent.bus;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;
import org.tpforward.agent.forward.Sockets;
import org.tpforward.dbus.Header;
import org.tpforward.dbus.Value;
import org.tpforward.socket.Connection;
import org.tpforward.socket.Endpoint;
import org.tpforward.socket.Listener;
import org.tpforward.socket.TelepathySockets;
import org.tpforward.telepathy.AddressType;
import org.tpforward.telepathy.Addresses;
import org.tpforward.telepathy.Names;

/** AcceptFile and ProvideFile, between a client of the agent and a CM on a real bus. */
class FilesOverTheBusTest {
  private static final String ERROR = "org.freedesktop.Telepathy.Error.";

  @TempDir Path directory;
  private TestBus bus;
  private AgentFixture agent;
  private Cm cm;
  private Peer client;
  private Listener cmSocket;

  @BeforeEach
  void start() throws Exception {
    bus = new TestBus(directory);
    agent = new AgentFixture(directory, bus.socket());
    cm = new Cm(bus.socket());
    client = agent.client();
    cmSocket = Listener.open(agent.place(AddressType.UNIX));
    cm.file(100, "0:0", "2:0", "3:0");
    cm.answering("AcceptFile", cmSocket.endpoint());
    cm.answering("ProvideFile", cmSocket.endpoint());
  }

  @AfterEach
  void stop() {
    client.close();
    cmSocket.close();
    cm.close();
    agent.close();
    bus.close();
  }

  private Header.Builder acceptFile() {
    return client.callTo(cm.name(), Cm.PATH, Names.FILE_TRANSFER, "AcceptFile");
  }

  private Peer.Received accept(long type, long access, Value parameter) throws Exception {
    return Peer.get(
        client.start(
            acceptFile(),
            Value.u(type),
            Value.u(access),
            new Value.Variant(parameter),
            Value.t(0)));
  }

  private Peer.Received acceptUnix() throws Exception {
    return accept(0, 0, Value.u(0));
  }

  private static Endpoint address(AddressType type, Peer.Received reply) throws Exception {
    assertThat(reply.header().signature()).isEqualTo("v");
    return Addresses.parse(type, reply.argument(0));
  }

  private void assertNothingIsLeft() throws Exception {
    Sockets.await(() -> agent.forwards.list().isEmpty());
    assertThat(agent.forwards.openStreams()).isZero();
  }

  @ParameterizedTest
  @CsvSource({"0", "1", "2", "3"})
  void anIncomingFileArrivesAtASocketOfTheKindThatTheClientAskedFor(int code) throws Exception {
    AddressType type = AddressType.of(code).orElseThrow();
    Peer.Received reply = accept(code, 0, Value.u(0));
    Endpoint local = address(type, reply);
    assertThat(local).isNotEqualTo(cmSocket.endpoint());
    // The CM was asked for what the server reaches, whatever the client wanted.
    Peer.Received asked = cm.next();
    assertThat(asked.arguments().subList(0, 2)).containsExactly(Value.u(0), Value.u(0));
    CompletableFuture<Connection> atCm = Sockets.start(cmSocket::accept);
    try (Connection reader = Connection.connect(local);
        Connection sender = Peer.get(atCm)) {
      Sockets.write(sender, "x".repeat(100));
      sender.shutdownOutput();
      assertThat(Sockets.countToEnd(reader)).isEqualTo(100);
      reader.shutdownOutput();
    }
    cm.peer.signal(Cm.PATH, Names.CHANNEL, "Closed");
    assertNothingIsLeft();
  }

  @Test
  void anOutgoingFileIsTakenUnderCredentials() throws Exception {
    Peer.Received reply =
        client.call(
            cm.name(),
            Cm.PATH,
            Names.FILE_TRANSFER,
            "ProvideFile",
            Value.u(0),
            Value.u(3),
            new Value.Variant(Value.y(0)));
    Endpoint local = address(AddressType.UNIX, reply);
    CompletableFuture<Connection> atCm = Sockets.start(cmSocket::accept);
    try (Connection writer = TelepathySockets.connectWithByte(local, 7);
        Connection taker = Peer.get(atCm)) {
      Sockets.write(writer, "content");
      writer.shutdownOutput();
      assertThat(Sockets.read(taker, 7)).as("without the byte").isEqualTo("content");
      assertThat(Sockets.countToEnd(taker)).isZero();
    }
  }

  @Test
  void underPortOnlyThatPortGetsIn() throws Exception {
    Endpoint.Ip source;
    try (Listener free = Listener.open(Sockets.anyPort(AddressType.IPV4))) {
      source = (Endpoint.Ip) free.endpoint();
    }
    Endpoint.Ip local =
        (Endpoint.Ip) address(AddressType.IPV4, accept(2, 1, Addresses.toValue(source)));
    try (Connection stranger = Connection.connect(local)) {
      Sockets.awaitEnd(stranger);
    }
    CompletableFuture<Connection> atCm = Sockets.start(cmSocket::accept);
    try (Connection reader = TelepathySockets.connectFrom(local, source);
        Connection sender = Peer.get(atCm)) {
      Sockets.write(sender, "for you");
      assertThat(Sockets.read(reader, 7)).isEqualTo("for you");
    }
  }

  @Test
  void telepathyGlibNamesAPortAlone() throws Exception {
    int port;
    try (Listener free = Listener.open(Sockets.anyPort(AddressType.IPV6))) {
      port = ((Endpoint.Ip) free.endpoint()).port();
    }
    Endpoint.Ip local = (Endpoint.Ip) address(AddressType.IPV6, accept(3, 1, Value.u(port)));
    CompletableFuture<Connection> atCm = Sockets.start(cmSocket::accept);
    try (Connection reader =
            TelepathySockets.connectFrom(
                local, new Endpoint.Ip(Sockets.anyPort(AddressType.IPV6).address(), port));
        Connection sender = Peer.get(atCm)) {
      Sockets.write(sender, "for you");
      assertThat(Sockets.read(reader, 7)).isEqualTo("for you");
    }
  }

  static Stream<Arguments> wrongRequests() {
    Value none = Value.u(0);
    return Stream.of(
        Arguments.of(4, 0, none, "InvalidArgument"),
        Arguments.of(0, 4, none, "InvalidArgument"),
        Arguments.of(2, 2, Value.struct(Value.of("127.0.0.1"), Value.y(8)), "NotImplemented"),
        Arguments.of(0, 2, none, "NotImplemented"),
        Arguments.of(0, 1, none, "NotImplemented"),
        Arguments.of(1, 1, none, "NotImplemented"),
        Arguments.of(2, 3, none, "NotImplemented"),
        Arguments.of(3, 3, none, "NotImplemented"),
        Arguments.of(2, 1, Value.u(0), "InvalidArgument"),
        Arguments.of(2, 1, Value.of("127.0.0.1:99"), "InvalidArgument"),
        Arguments.of(2, 1, Value.struct(Value.of("127.0.0.1"), Value.q(0)), "InvalidArgument"),
        Arguments.of(2, 1, Value.struct(Value.of("localhost"), Value.q(9)), "InvalidArgument"),
        Arguments.of(2, 1, Value.struct(Value.of("::1"), Value.q(9)), "InvalidArgument"));
  }

  @ParameterizedTest
  @MethodSource("wrongRequests")
  void whatExistsNowhereIsRefusedWithoutAskingTheCm(
      long type, long access, Value parameter, String error) throws Exception {
    Peer.Received reply = accept(type, access, parameter);
    assertThat(reply.errorName()).isEqualTo(ERROR + error);
    assertThat(cm.isUncalled()).isTrue();
    assertNothingIsLeft();
    assertThat(acceptUnix().isError()).as("the client may ask again").isFalse();
  }

  @Test
  void whatTheServerCannotReachIsNotImplemented() throws Exception {
    cm.file(100, "0:3", "1:0,3", "2:1");
    Peer.Received reply = acceptUnix();
    assertThat(reply.errorName()).isEqualTo(ERROR + "NotImplemented");
    assertThat(reply.argument(0).toString()).contains("tpforward-server");
    assertThat(cm.isUncalled()).isTrue();
  }

  @Test
  void theCmsOwnErrorsPassAndLeaveNothing() throws Exception {
    cm.on("AcceptFile", call -> cm.peer.error(call, ERROR + "NotAvailable", "already accepted"));
    Peer.Received reply = acceptUnix();
    assertThat(reply.errorName()).isEqualTo(ERROR + "NotAvailable");
    assertThat(reply.argument(0)).isEqualTo(Value.of("already accepted"));
    assertNothingIsLeft();
  }

  @Test
  void anErrorOfTheCmBeforeTheCallIsTheAnswerToIt() throws Exception {
    cm.on("GetAll", call -> cm.peer.error(call, "org.example.Broken", "no properties today"));
    assertThat(acceptUnix().errorName()).isEqualTo("org.example.Broken");
    assertThat(cm.isUncalled()).isTrue();
    assertNothingIsLeft();
  }

  static Stream<Arguments> lies() throws Exception {
    String tooLong = "/" + "x".repeat(199);
    return Stream.of(
        Arguments.of("a host elsewhere", ip("192.0.2.1", 80), "2:0"),
        Arguments.of("all hosts", ip("0.0.0.0", 80), "2:0"),
        Arguments.of("a name", ip("localhost", 80), "2:0"),
        Arguments.of("port 0", ip("127.0.0.1", 0), "2:0"),
        Arguments.of("200 bytes", bytes(tooLong), "0:0"),
        Arguments.of("a NUL inside", bytes("/tmp/a\0b"), "0:0"),
        Arguments.of("an abstract name", bytes("\0name"), "0:0"),
        Arguments.of("nothing", bytes(""), "0:0"),
        Arguments.of("a relative path", bytes("tmp/x"), "0:0"),
        Arguments.of("a string", Value.of("/tmp/x"), "0:0"),
        Arguments.of("IP for Unix", ip("127.0.0.1", 80), "0:0"),
        Arguments.of("Unix for IP", bytes("/tmp/x"), "2:0"),
        Arguments.of("IPv6 for IPv4", ip("::1", 80), "2:0"));
  }

  private static Value ip(String host, int port) {
    return Value.struct(Value.of(host), Value.q(port));
  }

  private static Value bytes(String text) {
    return Value.of(text.getBytes(StandardCharsets.UTF_8));
  }

  @ParameterizedTest(name = "{0}")
  @MethodSource("lies")
  void anAddressThatMustNotBeConnectedToIsRefusedWithALogLine(
      String what, Value address, String sockets) throws Exception {
    cm.file(100, sockets);
    cm.on("AcceptFile", call -> cm.peer.reply(call, new Value.Variant(address)));
    try (Logs logs = new Logs()) {
      Peer.Received reply = acceptUnix();
      assertThat(reply.errorName()).as(what).isEqualTo(ERROR + "NotAvailable");
      assertThat(reply.header().sender()).isEqualTo(cm.name());
      logs.await("WARN", Cm.PATH, "refused");
    }
    assertNothingIsLeft();
    assertThat(agent.link.opened()).isZero();
    client.roundTrip(); // And its connection goes on.
  }

  @Test
  void aReplyOfAnotherSignatureIsTheCmsFaultAndNotTheEnd() throws Exception {
    cm.on("AcceptFile", call -> cm.peer.reply(call, Value.of("/tmp/x")));
    try (Logs logs = new Logs()) {
      assertThat(acceptUnix().errorName()).isEqualTo(ERROR + "NotAvailable");
      logs.await("WARN", "signature is 's'");
    }
    cm.on("AcceptFile", call -> cm.peer.reply(call));
    assertThat(acceptUnix().errorName()).isEqualTo(ERROR + "NotAvailable");
    assertNothingIsLeft();
    client.roundTrip();
  }

  @Test
  void anAddressTooLongToBeOneIsNotHeldInMemory() throws Exception {
    cm.on(
        "AcceptFile", call -> cm.peer.reply(call, new Value.Variant(Value.of(new byte[3 << 20]))));
    Peer.Received reply = acceptUnix();
    assertThat(reply.errorName()).isEqualTo(ERROR + "NotAvailable");
    assertNothingIsLeft();
    client.roundTrip();
  }

  @Test
  void aCallWithoutAReplyPassesAndOpensNothing() throws Exception {
    client.send(
        acceptFile().flags(1), Value.u(1), Value.u(0), new Value.Variant(Value.u(0)), Value.t(5));
    Peer.Received call = cm.next();
    assertThat(call.argument(0)).as("as it came").isEqualTo(Value.u(1));
    assertThat(call.argument(3)).isEqualTo(Value.t(5));
    assertThat(agent.forwards.list()).isEmpty();
  }

  @Test
  void aCallWithoutAReplyThatIsRefusedGetsNone() throws Exception {
    cm.tube("0:0");
    client.send(
        client.callTo(cm.name(), Cm.PATH, Names.STREAM_TUBE, "Offer").flags(1),
        Value.u(0),
        new Value.Variant(bytes("/nowhere")),
        Value.u(0),
        Value.dict(Map.of()));
    // Replies keep their order: this one is the first that comes.
    client.roundTrip();
    client.send(client.callTo(client.name(), "/x", "x.y", "Mark").flags(1));
    assertThat(client.next("Mark").header().member()).isEqualTo("Mark");
    assertThat(cm.isUncalled()).isTrue();
  }

  @Test
  void theOffsetPassesAndSaysWhenTheRestIsWhole() throws Exception {
    Peer.Received reply =
        Peer.get(
            client.start(
                acceptFile(), Value.u(0), Value.u(0), new Value.Variant(Value.u(0)), Value.t(60)));
    assertThat(cm.next().argument(3)).isEqualTo(Value.t(60));
    Endpoint local = address(AddressType.UNIX, reply);
    cm.peer.signal(Cm.PATH, Names.FILE_TRANSFER, "InitialOffsetDefined", Value.t(60));
    CompletableFuture<Connection> atCm = Sockets.start(cmSocket::accept);
    try (Connection reader = Connection.connect(local);
        Connection sender = Peer.get(atCm)) {
      Sockets.write(sender, "x".repeat(40));
      sender.shutdownOutput();
      assertThat(Sockets.countToEnd(reader)).isEqualTo(40);
    }
  }

  @Test
  void aPartEndsOnlyAfterTheClientHasReadThatItIsOne() throws Exception {
    client.match("type='signal',interface='" + Names.CHANNEL + "'");
    Endpoint local = address(AddressType.UNIX, acceptUnix());
    CompletableFuture<Connection> atCm = Sockets.start(cmSocket::accept);
    try (Connection reader = Connection.connect(local)) {
      Connection sender = Peer.get(atCm);
      Sockets.write(sender, "a part");
      sender.close();
      assertThat(Sockets.read(reader, 6)).isEqualTo("a part");
      CompletableFuture<Long> end = Sockets.start(() -> Sockets.countToEnd(reader));
      assertThatThrownBy(() -> end.get(100, TimeUnit.MILLISECONDS))
          .isInstanceOf(TimeoutException.class);
      cm.peer.signal(Cm.PATH, Names.CHANNEL, "Closed");
      assertThat(Peer.get(end)).isZero();
      assertThat(client.next("Closed").header().path()).isEqualTo(Cm.PATH);
    }
    assertNothingIsLeft();
  }

  @Test
  void theLossOfTheBusIsSeenBeforeTheEndOfAPart() throws Exception {
    Endpoint local = address(AddressType.UNIX, acceptUnix());
    CompletableFuture<Connection> atCm = Sockets.start(cmSocket::accept);
    try (Connection reader = Connection.connect(local)) {
      Connection sender = Peer.get(atCm);
      Sockets.write(sender, "a part");
      sender.close();
      assertThat(Sockets.read(reader, 6)).isEqualTo("a part");
      CompletableFuture<Boolean> busWasOpen =
          Sockets.start(() -> {
            Sockets.countToEnd(reader);
            return client.isWritable();
          });
      bus.close();
      assertThat(Peer.get(busWasOpen)).isFalse();
    }
    assertNothingIsLeft();
  }

  @Test
  void theListenerGoesWithTheCm() throws Exception {
    Endpoint local = address(AddressType.UNIX, acceptUnix());
    assertThat(agent.forwards.list()).hasSize(1);
    cm.close();
    assertNothingIsLeft();
    assertThatThrownBy(() -> Connection.connect(local)).isInstanceOf(IOException.class);
    client.roundTrip();
  }

  @Test
  void theListenerOutlivesTheClientThatAskedForIt() throws Exception {
    Endpoint local = address(AddressType.UNIX, acceptUnix());
    client.close();
    Sockets.await(() -> agent.server.clients() == 0);
    CompletableFuture<Connection> atCm = Sockets.start(cmSocket::accept);
    try (Connection other = Connection.connect(local);
        Connection sender = Peer.get(atCm)) {
      Sockets.write(sender, "x");
      assertThat(Sockets.read(other, 1)).isEqualTo("x");
    }
  }

  @Test
  void aClientThatLeavesWhileTheCmThinksLeavesNoListener() throws Exception {
    cm.on("AcceptFile", call -> {}); // It never answers.
    var _ =
        client.start(
            acceptFile(), Value.u(0), Value.u(0), new Value.Variant(Value.u(0)), Value.t(0));
    cm.next();
    assertThat(agent.forwards.list()).hasSize(1);
    client.close();
    assertNothingIsLeft();
  }

  @Test
  void aClientThatLeavesWhileItsCallIsHeldLeavesNoListener() throws Exception {
    CompletableFuture<Peer.Received> held = new CompletableFuture<>();
    cm.on("GetAll", held::complete);
    var _ =
        client.start(
            acceptFile(), Value.u(0), Value.u(0), new Value.Variant(Value.u(0)), Value.t(0));
    Peer.Received getAll = Peer.get(held);
    // The bus drops the client, as it does one that breaks its rules; the held call goes on.
    agent.server.disconnectAll();
    client.awaitEnd();
    cm.peer.reply(
        getAll, Value.dict(Map.of("Size", Value.t(9), "AvailableSocketTypes", Cm.sockets("0:0"))));
    Sockets.await(() -> agent.server.clients() == 0);
    assertNothingIsLeft();
  }

  @Test
  void aCmThatIsOnTheDesktopAlreadyIsNotRewritten() throws Exception {
    try (Cm here = new Cm(agent.socket)) {
      here.file(5, "0:0,3");
      here.answering("AcceptFile", cmSocket.endpoint());
      Peer.Received reply =
          client.call(
              here.name(),
              Cm.PATH,
              Names.FILE_TRANSFER,
              "AcceptFile",
              Value.u(0),
              Value.u(3),
              new Value.Variant(Value.u(0)),
              Value.t(0));
      assertThat(address(AddressType.UNIX, reply)).isEqualTo(cmSocket.endpoint());
      assertThat(here.next().argument(1)).isEqualTo(Value.u(3));
      // Under a well-known name too.
      here.peer.own("org.freedesktop.Telepathy.ConnectionManager.here");
      Peer.Received property =
          client.call(
              "org.freedesktop.Telepathy.ConnectionManager.here",
              Cm.PATH,
              Names.PROPERTIES,
              "Get",
              Value.of(Names.FILE_TRANSFER),
              Value.of("AvailableSocketTypes"));
      assertThat(property.argument(0)).isEqualTo(new Value.Variant(Cm.sockets("0:0,3")));
      assertThat(agent.forwards.list()).isEmpty();
    }
  }

  @Test
  void bigEndianCallsAndCallsWithoutAnInterfaceAreTheSame() throws Exception {
    client.order(ByteOrder.BIG_ENDIAN);
    Peer.Received reply =
        Peer.get(
            client.start(
                client.callTo(cm.name(), Cm.PATH, null, "AcceptFile"),
                Value.u(1),
                Value.u(0),
                new Value.Variant(Value.u(0)),
                Value.t(0)));
    assertThat(address(AddressType.ABSTRACT_UNIX, reply)).isNotEqualTo(cmSocket.endpoint());
    Peer.Received asked = cm.next();
    assertThat(asked.header().order()).isEqualTo(ByteOrder.BIG_ENDIAN);
    assertThat(asked.argument(0)).isEqualTo(Value.u(0));
  }

  @Test
  void aCallWithoutAnInterfaceToSomethingElseGoesOn() throws Exception {
    cm.on("GetAll", call -> cm.peer.error(call, "org.freedesktop.DBus.Error.UnknownInterface", ""));
    cm.on("Accept", call -> cm.peer.reply(call, Value.of("not Telepathy at all")));
    Peer.Received reply =
        Peer.get(
            client.start(
                client.callTo(cm.name(), "/elsewhere", null, "Accept"),
                Value.u(7),
                Value.u(8),
                new Value.Variant(Value.of("x"))));
    assertThat(reply.isError()).as("7 is no address type").isTrue();
    Peer.Received passed =
        Peer.get(client.start(client.callTo(cm.name(), "/elsewhere", null, "Accept"), Value.u(3)));
    assertThat(passed.argument(0)).isEqualTo(Value.of("not Telepathy at all"));
  }

  @Test
  void aCmThatDoesNotAnswerCostsThatCallOnly() throws Exception {
    agent.close();
    client.close();
    agent = new AgentFixture(directory, bus.socket(), AgentFixture.SHORT, Sockets.PATIENCE);
    client = agent.client();
    cm.on("GetAll", call -> {});
    assertThat(acceptUnix().errorName()).isEqualTo("org.freedesktop.DBus.Error.NoReply");
    assertThat(cm.isUncalled()).isTrue();
    client.roundTrip();
    assertNothingIsLeft();
    assertThat(List.of(agent.server.clients())).containsExactly(1);
  }
}
