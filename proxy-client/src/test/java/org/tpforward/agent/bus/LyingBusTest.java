package org.tpforward.agent.bus;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.atomic.AtomicLong;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;
import org.tpforward.agent.forward.Sockets;
import org.tpforward.dbus.Header;
import org.tpforward.dbus.MessageType;
import org.tpforward.dbus.Value;
import org.tpforward.socket.Endpoint;
import org.tpforward.telepathy.AddressType;
import org.tpforward.telepathy.Addresses;
import org.tpforward.telepathy.Names;

/** A bus, or a client, that does not keep to the rules harms one connection only. */
class LyingBusTest {
  private static final String BUS = "org.freedesktop.DBus";
  private static final Value ADDRESS =
      new Value.Variant(Addresses.toValue(new Endpoint.UnixPath("/the/cms/own")));

  @TempDir Path directory;
  private ScriptedBus bus;
  private AgentFixture agent;
  private Peer client;
  private Peer other;

  @BeforeEach
  void start() throws Exception {
    Path socket = directory.resolve("remote-bus");
    bus = new ScriptedBus(socket);
    agent = new AgentFixture(directory, socket);
    client = agent.client();
    other = agent.client();
  }

  @AfterEach
  void stop() {
    client.close();
    other.close();
    agent.close();
    bus.close();
  }

  private CompletableFuture<Peer.Received> accept() throws Exception {
    return client.start(
        client.callTo(ScriptedBus.CM, Cm.PATH, Names.FILE_TRANSFER, "AcceptFile"),
        Value.u(0),
        Value.u(0),
        new Value.Variant(Value.u(0)),
        Value.t(0));
  }

  private void assertOnlyThatClientIsClosed() throws Exception {
    client.awaitEnd();
    Sockets.await(() -> agent.server.clients() == 1);
    Sockets.await(() -> agent.forwards.list().isEmpty());
    other.roundTrip();
  }

  @Test
  void theReplyOfSomebodyElseEndsTheConnection() throws Exception {
    bus.on("AcceptFile", (link, call) -> link.reply(":1.666", call.serial(), ADDRESS));
    try (Logs logs = new Logs()) {
      assertThatThrownBy(() -> Peer.get(accept())).hasMessageContaining("ended");
      logs.await("WARN", "reply to a call of " + ScriptedBus.CM, ":1.666");
    }
    assertOnlyThatClientIsClosed();
  }

  @Test
  void theReplyOfAClientOfTheAgentInTheCmsPlaceEndsItToo() throws Exception {
    bus.on("AcceptFile", (link, call) -> link.reply(other.name(), call.serial(), ADDRESS));
    assertThatThrownBy(() -> Peer.get(accept())).hasMessageContaining("ended");
    assertOnlyThatClientIsClosed();
  }

  @Test
  void aSecondReplyIsNotRewritten() throws Exception {
    bus.on(
        "AcceptFile",
        (link, call) -> {
          link.reply(ScriptedBus.CM, call.serial(), ADDRESS);
          link.reply(ScriptedBus.CM, call.serial(), ADDRESS);
        });
    Peer.Received first = Peer.get(accept());
    assertThat(first.argument(0)).isNotEqualTo(ADDRESS);
    assertThat(client.next().argument(0)).isEqualTo(ADDRESS);
    assertThat(agent.forwards.list()).hasSize(1);
  }

  @Test
  void aReplyThatNobodyAskedForIsNotRewritten() throws Exception {
    bus.on("AcceptFile", (link, call) -> {});
    var _ = accept();
    bus.link(client.name()).reply(ScriptedBus.CM, 4711, ADDRESS);
    assertThat(client.next().argument(0)).isEqualTo(ADDRESS);
    // One for somebody else is not this client's either.
    bus.link(client.name())
        .raw(
            Header.builder(MessageType.METHOD_RETURN)
                .serial(99)
                .replySerial(2)
                .sender(ScriptedBus.CM)
                .destination(":1.12345")
                .build(0)
                .raw());
    client.roundTrip();
    assertThat(agent.forwards.list()).as("the call still waits").hasSize(1);
  }

  @Test
  void aNameThatChangesHandsMeanwhileCostsThatCallOnly() throws Exception {
    bus.on("AcceptFile", (link, call) -> link.reply(":1.2000", call.serial(), ADDRESS));
    CompletableFuture<Peer.Received> reply =
        client.start(
            client.callTo("org.example.Cm", Cm.PATH, Names.FILE_TRANSFER, "AcceptFile"),
            Value.u(0),
            Value.u(0),
            new Value.Variant(Value.u(0)),
            Value.t(0));
    assertThat(Peer.get(reply).errorName()).endsWith("NotAvailable");
    Sockets.await(() -> agent.forwards.list().isEmpty());
    client.roundTrip();
  }

  @Test
  void moreCallsThanAnybodyHasUnderWayAreRefused() throws Exception {
    bus.on("Get", (link, call) -> {});
    for (int i = 0; i < AwaitedReplies.MAX; i++) {
      var _ = get();
    }
    Peer.Received refused = Peer.get(get());
    assertThat(refused.errorName()).isEqualTo("org.freedesktop.DBus.Error.LimitsExceeded");
    CompletableFuture<Peer.Received> accepted = accept();
    assertThat(Peer.get(accepted).errorName())
        .isEqualTo("org.freedesktop.DBus.Error.LimitsExceeded");
    assertThat(agent.forwards.list()).isEmpty();
    client.roundTrip();
  }

  private CompletableFuture<Peer.Received> get() throws Exception {
    return client.start(
        client.callTo(ScriptedBus.CM, Cm.PATH, Names.PROPERTIES, "Get"),
        Value.of(Names.FILE_TRANSFER),
        Value.of("AvailableSocketTypes"));
  }

  @Test
  void aClientThatUsesASerialAgainIsClosedAndLeavesNothing() throws Exception {
    bus.on("AcceptFile", (link, call) -> {});
    var _ = accept();
    try (Logs logs = new Logs()) {
      client.write(
          client.callTo(ScriptedBus.CM, Cm.PATH, Names.FILE_TRANSFER, "AcceptFile").serial(2),
          Value.u(0),
          Value.u(0),
          new Value.Variant(Value.u(0)),
          Value.t(0));
      logs.await("WARN", "serial 2 again");
    }
    assertOnlyThatClientIsClosed();
  }

  @Test
  void whatFollowsHelloWaitsForItsReply() throws Exception {
    CompletableFuture<ScriptedBus.Link> asked = new CompletableFuture<>();
    AtomicLong serial = new AtomicLong();
    bus.on(
        "Hello",
        (link, call) -> {
          serial.set(call.serial());
          asked.complete(link);
        });
    CompletableFuture<Header> second = new CompletableFuture<>();
    bus.on("Second", (link, call) -> second.complete(call));
    try (Peer early = Peer.authenticated(agent.socket)) {
      var hello = early.start(early.callTo(BUS, "/x", BUS, "Hello"));
      early.send(early.callTo(ScriptedBus.CM, "/x", "x.y", "Second").flags(1));
      ScriptedBus.Link link = Peer.get(asked);
      other.roundTrip();
      assertThat(second).isNotDone();
      link.reply(BUS, serial.get(), Value.of(link.name));
      Peer.get(second);
      assertThat(Peer.get(hello).argument(0)).isEqualTo(Value.of(link.name));
    }
  }

  @Test
  void aBusThatNeverAnswersHelloHoldsNoClientForEver() throws Exception {
    agent.close();
    agent =
        new AgentFixture(
            directory, directory.resolve("remote-bus"), Sockets.PATIENCE, AgentFixture.SHORT);
    agent.control.connect();
    bus.on("Hello", (link, call) -> {});
    try (Peer early = Peer.authenticated(agent.socket);
        Logs logs = new Logs()) {
      early.send(early.callTo(BUS, "/x", BUS, "Hello"));
      early.send(early.callTo(ScriptedBus.CM, "/x", "x.y", "Second").flags(1));
      early.awaitEnd();
      logs.await("WARN", "has not answered its Hello");
    }
    Sockets.await(() -> agent.server.clients() == 0);
  }

  @Test
  void aClientWhoseHelloIsRefusedIsToldSo() throws Exception {
    bus.on(
        "Hello",
        (link, call) ->
            link.send(
                BUS,
                Header.builder(MessageType.ERROR)
                    .replySerial(call.serial())
                    .errorName("org.freedesktop.DBus.Error.LimitsExceeded"),
                Value.of("too many")));
    try (Peer refused = Peer.authenticated(agent.socket)) {
      Peer.Received reply = Peer.get(refused.start(refused.callTo(BUS, "/x", BUS, "Hello")));
      assertThat(reply.errorName()).isEqualTo("org.freedesktop.DBus.Error.LimitsExceeded");
      refused.roundTrip();
    }
  }

  static Stream<Arguments> malformed() throws Exception {
    Header good =
        Header.builder(MessageType.SIGNAL)
            .order(ByteOrder.LITTLE_ENDIAN)
            .serial(77)
            .path("/x")
            .interfaceName("x.y")
            .member("Z")
            .sender(ScriptedBus.CM)
            .build(0);
    return Stream.of(
        Arguments.of("byte order", changed(good, 0, 'x'), "byte order"),
        Arguments.of("type 0", changed(good, 1, 0), "type 0"),
        Arguments.of("version", changed(good, 3, 2), "protocol version"),
        Arguments.of("serial 0", changed(good, 8, 0), "serial is 0"),
        Arguments.of("fields of 2 GiB", changed(good, 15, 0x7f), "header fields"),
        Arguments.of("a body of 2 GiB", changed(good, 7, 0x7f), "the limit"),
        Arguments.of(
            "garbage", "not D-Bus at all".getBytes(StandardCharsets.US_ASCII), "byte order"));
  }

  private static byte[] changed(Header header, int at, int value) {
    byte[] raw = header.raw();
    raw[at] = (byte) value;
    return raw;
  }

  @ParameterizedTest(name = "{0}")
  @MethodSource("malformed")
  void aMalformedMessageFromTheBusEndsOneConnection(String what, byte[] bytes, String says)
      throws Exception {
    try (Logs logs = new Logs()) {
      bus.link(client.name()).raw(bytes);
      assertOnlyThatClientIsClosed();
      logs.await("WARN", "malformed D-Bus from its bus", says);
    }
  }

  @ParameterizedTest(name = "{0}")
  @MethodSource("malformed")
  void aMalformedMessageFromAClientEndsItsConnection(String what, byte[] bytes, String says)
      throws Exception {
    try (Logs logs = new Logs()) {
      client.raw(bytes);
      assertOnlyThatClientIsClosed();
      logs.await("WARN", "malformed D-Bus from its client", says);
    }
  }

  @Test
  void aBodyThatDoesNotMatchItsSignatureIsFoundWhereItIsRead() throws Exception {
    // A GetAll whose string says that it is longer than the body.
    Header header =
        client
            .callTo(ScriptedBus.CM, Cm.PATH, Names.PROPERTIES, "GetAll")
            .order(ByteOrder.LITTLE_ENDIAN)
            .serial(500)
            .signature("s")
            .build(8);
    byte[] body = {100, 0, 0, 0, 'a', 'b', 'c', 0};
    try (Logs logs = new Logs()) {
      client.raw(
          ByteBuffer.allocate(header.raw().length + body.length)
              .put(header.raw())
              .put(body)
              .array());
      assertOnlyThatClientIsClosed();
      logs.await("WARN", "malformed D-Bus from its client", "body");
    }
  }

  @Test
  void aReplyThatIsMalformedInsideLeavesNoListener() throws Exception {
    bus.on(
        "AcceptFile",
        (link, call) -> {
          Header header =
              Header.builder(MessageType.METHOD_RETURN)
                  .order(ByteOrder.LITTLE_ENDIAN)
                  .serial(900)
                  .replySerial(call.serial())
                  .sender(ScriptedBus.CM)
                  .destination(link.name)
                  .signature("v")
                  .build(4);
          link.raw(
              ByteBuffer.allocate(header.raw().length + 4)
                  .put(header.raw())
                  .put(new byte[] {1, '!', 0, 0})
                  .array());
        });
    var _ = accept();
    assertOnlyThatClientIsClosed();
  }

  @Test
  void addressesOfTubesAreNotBelievedEither() throws Exception {
    // The signature of the reply is checked before a tube that is known already is named in it.
    List<Value> wrong = new ArrayList<>(List.of(Value.of("not uv")));
    bus.on(
        "GetStreamTubeSocketAddress",
        (link, call) -> link.reply(ScriptedBus.CM, call.serial(), wrong.toArray(new Value[0])));
    bus.on("AcceptStreamTube", (link, call) -> link.reply(ScriptedBus.CM, call.serial(), ADDRESS));
    bus.on(
        "GetAvailableStreamTubeTypes",
        (link, call) -> link.reply(ScriptedBus.CM, call.serial(), Cm.sockets("0:0")));
    Peer.Received accepted =
        client.call(
            ScriptedBus.CM,
            Cm.PATH,
            Names.TUBES,
            "AcceptStreamTube",
            Value.u(5),
            Value.u(0),
            Value.u(0),
            new Value.Variant(Value.u(0)));
    assertThat(accepted.isError()).isFalse();
    Peer.Received asked =
        client.call(ScriptedBus.CM, Cm.PATH, Names.TUBES, "GetStreamTubeSocketAddress", Value.u(5));
    assertThat(asked.errorName()).endsWith("NotAvailable");
    wrong.clear();
    wrong.addAll(List.of(Value.u(0), ADDRESS));
    Peer.Received again =
        client.call(ScriptedBus.CM, Cm.PATH, Names.TUBES, "GetStreamTubeSocketAddress", Value.u(5));
    assertThat(Addresses.parse(AddressType.UNIX, again.argument(1)))
        .isEqualTo(Addresses.parse(AddressType.UNIX, accepted.argument(0)));
  }
}
