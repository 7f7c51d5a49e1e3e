package org.tpforward.agent.bus;

import static java.util.Objects.requireNonNull;
import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;
import org.tpforward.agent.forward.Sockets;
import org.tpforward.agent.link.Link;
import org.tpforward.dbus.Value;
import org.tpforward.socket.AllowedUids;
import org.tpforward.socket.Connection;
import org.tpforward.socket.Endpoint;
import org.tpforward.socket.Listener;
import org.tpforward.socket.TelepathySockets;
import org.tpforward.telepathy.AddressType;
import org.tpforward.telepathy.Addresses;
import org.tpforward.telepathy.Names;
import org.tpforward.telepathy.SocketAbilities;

/** Stream tubes and the older Tubes channel type, between clients of the agent and a CM. */
class TubesOverTheBusTest {
  private static final String ERROR = "org.freedesktop.Telepathy.Error.";

  @TempDir Path directory;
  private TestBus bus;
  private AgentFixture agent;
  private Cm cm;
  private Peer client;

  @BeforeEach
  void start() throws Exception {
    bus = new TestBus(directory);
    agent = new AgentFixture(directory, bus.socket());
    cm = new Cm(bus.socket());
    client = agent.client();
    client.match("type='signal',interface='" + Names.STREAM_TUBE + "'");
    cm.tube("0:0,3", "2:0,1", "3:0,1");
    cm.on("Offer", call -> cm.peer.reply(call));
    cm.on("OfferStreamTube", call -> cm.peer.reply(call, Value.u(6)));
    cm.on(
        "GetAvailableStreamTubeTypes",
        call -> cm.peer.reply(call, Cm.sockets("0:0,3", "2:0,1", "3:0,1")));
  }

  @AfterEach
  void stop() {
    client.close();
    cm.close();
    agent.close();
    bus.close();
  }

  private static Value variant(Endpoint address) {
    return new Value.Variant(Addresses.toValue(address));
  }

  private Peer.Received offer(long type, Value address, long access) throws Exception {
    return client.call(
        cm.name(),
        Cm.PATH,
        Names.STREAM_TUBE,
        "Offer",
        Value.u(type),
        address,
        Value.u(access),
        Value.dict(Map.of("user", Value.of("guest"))));
  }

  private void newRemoteConnection(Value parameter, long id) throws Exception {
    cm.peer.signal(
        Cm.PATH,
        Names.STREAM_TUBE,
        "NewRemoteConnection",
        Value.u(1),
        new Value.Variant(parameter),
        Value.u(id));
  }

  private Value said() throws Exception {
    return ((Value.Variant) client.next("NewRemoteConnection").argument(1)).value();
  }

  @Test
  void aCredentialsServiceIsOfferedAsOneAndTheByteIsTheVeryOne() throws Exception {
    try (Listener service = TelepathySockets.listenForBytes(agent.place(AddressType.UNIX))) {
      assertThat(offer(0, variant(service.endpoint()), 3).isError()).isFalse();
      Peer.Received offered = cm.next();
      assertThat(offered.argument(2)).isEqualTo(Value.u(3));
      assertThat(offered.argument(3)).isEqualTo(Value.dict(Map.of("user", Value.of("guest"))));
      Endpoint remote = Addresses.parse(AddressType.UNIX, offered.argument(1));
      assertThat(remote).isNotEqualTo(service.endpoint());
      CompletableFuture<Connection> accepted = Sockets.start(service::accept);
      try (Connection atCm = TelepathySockets.connectWithByte(remote, 200)) {
        TelepathySockets.Accepted there =
            TelepathySockets.acceptWithByte(
                Peer.get(accepted), AllowedUids.own(), Sockets.PATIENCE);
        newRemoteConnection(Value.y(200), 1);
        assertThat(there.value()).isEqualTo(200);
        assertThat(said()).isEqualTo(Value.y(200));
        Sockets.write(atCm, "x");
        assertThat(Sockets.read(there.connection(), 1)).isEqualTo("x");
        there.connection().close();
      }
    }
  }

  @Test
  void underPortEachClientIsToldTheAgentsOwnPort() throws Exception {
    try (Listener service = Listener.open(Sockets.anyPort(AddressType.IPV4));
        Peer another = agent.client()) {
      another.match("type='signal',interface='" + Names.STREAM_TUBE + "'");
      cm.tube("2:0,1");
      assertThat(offer(2, variant(service.endpoint()), 1).isError()).isFalse();
      Peer.Received offered = cm.next();
      assertThat(offered.argument(0)).isEqualTo(Value.u(2));
      assertThat(offered.argument(2)).isEqualTo(Value.u(1));
      Endpoint remote = Addresses.parse(AddressType.IPV4, offered.argument(1));
      CompletableFuture<Connection> accepted = Sockets.start(service::accept);
      try (Connection atCm = Connection.connect(remote)) {
        newRemoteConnection(Addresses.toValue(local(atCm)), 1);
        try (Connection there = Peer.get(accepted)) {
          Value expected = Addresses.toValue(remoteOf(there));
          assertThat(said()).isEqualTo(expected);
          assertThat(((Value.Variant) another.next("NewRemoteConnection").argument(1)).value())
              .isEqualTo(expected);
          Sockets.write(there, "hello");
          assertThat(Sockets.read(atCm, 5)).isEqualTo("hello");
        }
      }
    }
  }

  private static Endpoint.Ip local(Connection connection) throws IOException {
    return requireNonNull(connection.local());
  }

  private static Endpoint.Ip remoteOf(Connection connection) throws IOException {
    return requireNonNull(connection.remote());
  }

  @Test
  void theServersListenerGoesWithTheChannel() throws Exception {
    try (Listener service = Listener.open(agent.place(AddressType.UNIX))) {
      offer(0, variant(service.endpoint()), 0);
      assertThat(agent.link.listening()).hasSize(1);
      cm.peer.signal(Cm.PATH, Names.CHANNEL, "Closed");
      Sockets.await(() -> agent.link.listening().isEmpty());
      Sockets.await(() -> agent.forwards.offerings().isEmpty());
    }
  }

  @Test
  void anOfferThatTheCmRefusesLeavesNothing() throws Exception {
    cm.on("Offer", call -> cm.peer.error(call, ERROR + "NotAvailable", "one is open already"));
    try (Listener service = Listener.open(agent.place(AddressType.UNIX))) {
      assertThat(offer(0, variant(service.endpoint()), 0).errorName())
          .isEqualTo(ERROR + "NotAvailable");
      assertThat(agent.link.listening()).isEmpty();
      assertThat(agent.forwards.offerings()).isEmpty();
    }
  }

  @Test
  void anOfferWithoutAReplyIsRewrittenToo() throws Exception {
    try (Listener service = Listener.open(agent.place(AddressType.UNIX))) {
      client.send(
          client.callTo(cm.name(), Cm.PATH, Names.STREAM_TUBE, "Offer").flags(1),
          Value.u(0),
          variant(service.endpoint()),
          Value.u(0),
          Value.dict(Map.of()));
      assertThat(cm.next().argument(1)).isNotEqualTo(variant(service.endpoint()));
      assertThat(agent.link.listening()).hasSize(1);
    }
  }

  @Test
  void anOfferWithoutAReplyOnAChannelThatHasJustEndedLeavesNothing() throws Exception {
    AtomicInteger asked = new AtomicInteger();
    cm.on(
        "GetAll",
        call -> {
          if (asked.getAndIncrement() == 0) {
            // Closed is on its way already when it answers.
            cm.peer.signal(Cm.PATH, Names.CHANNEL, "Closed");
            cm.peer.reply(call, Value.dict(Map.of("SupportedSocketTypes", Cm.sockets("0:0"))));
          } else {
            cm.peer.error(call, "org.freedesktop.DBus.Error.UnknownObject", "it is gone");
          }
        });
    try (Listener service = Listener.open(agent.place(AddressType.UNIX))) {
      client.send(
          client.callTo(cm.name(), Cm.PATH, Names.STREAM_TUBE, "Offer").flags(1),
          Value.u(0),
          variant(service.endpoint()),
          Value.u(0),
          Value.dict(Map.of()));
      client.roundTrip(); // Its calls are handled in order.
      assertThat(asked).hasValue(2);
      assertThat(cm.isUncalled()).isTrue();
      assertThat(agent.link.listening()).isEmpty();
      assertThat(agent.forwards.offerings()).isEmpty();
    }
  }

  @Test
  void whereTheServerForbidsUnixListenersAPortIsOfferedThatTheCmVouchesFor() throws Exception {
    agent.link.forbid(AddressType.UNIX);
    agent.link.forbid(AddressType.IPV4);
    cm.tube("0:0,3", "2:0,1", "3:0,1");
    try (Listener service = Listener.open(agent.place(AddressType.UNIX))) {
      assertThat(offer(0, variant(service.endpoint()), 0).isError()).isFalse();
      Peer.Received offered = cm.next();
      assertThat(offered.argument(0)).isEqualTo(Value.u(3));
      assertThat(offered.argument(2)).isEqualTo(Value.u(1));
      assertThat(agent.forwards.offerings()).hasSize(1);
      assertThat(agent.link.listening()).hasSize(1);
    }
  }

  @Test
  void whereTheServerForbidsAllListenersTheReasonsAreSaid() throws Exception {
    for (AddressType type : AddressType.values()) {
      agent.link.forbid(type);
    }
    try (Listener service = Listener.open(agent.place(AddressType.UNIX))) {
      Peer.Received refused = offer(0, variant(service.endpoint()), 0);
      assertThat(refused.errorName()).isEqualTo(ERROR + "NotAvailable");
      assertThat(refused.argument(0).toString())
          .contains("no listener of type UNIX", "no listener of type IPV4");
    }
    assertThat(cm.isUncalled()).isTrue();
    assertThat(agent.link.listening()).isEmpty();
    assertThat(agent.forwards.offerings()).isEmpty();
  }

  @Test
  void anAddressThatIsNoServiceIsRefused() throws Exception {
    Path file = Files.writeString(directory.resolve("file"), "no socket");
    Value directoryItself = unix(directory.toString());
    for (Value address :
        new Value[] {
          unix(file.toString()),
          directoryItself,
          unix("/no/such/path"),
          unix("/" + "x".repeat(199)),
          unix("/a\0b"),
          unix(""),
          Value.of("/tmp/x")
        }) {
      assertThat(offer(0, new Value.Variant(address), 0).errorName())
          .isEqualTo(ERROR + "InvalidArgument");
    }
    for (Value address :
        new Value[] {ip("127.0.0.1", 0), ip("192.0.2.1", 80), ip("::1", 80), ip("a.b", 80)}) {
      assertThat(offer(2, new Value.Variant(address), 0).errorName())
          .isEqualTo(ERROR + "InvalidArgument");
    }
    assertThat(cm.isUncalled()).isTrue();
    assertThat(agent.link.listening()).isEmpty();
  }

  private static Value unix(String path) {
    return Value.of(path.getBytes(StandardCharsets.UTF_8));
  }

  private static Value ip(String host, int port) {
    return Value.struct(Value.of(host), Value.q(port));
  }

  @Test
  void whatTheServerCannotOfferSafelyIsNotImplemented() throws Exception {
    agent.link.abilities(new Link.Abilities(false, true, false, false));
    cm.tube("2:0");
    try (Listener service = TelepathySockets.listenForBytes(agent.place(AddressType.UNIX))) {
      // Anybody on the server could connect, and the CM does not say who does.
      assertThat(offer(0, variant(service.endpoint()), 3).errorName())
          .isEqualTo(ERROR + "NotImplemented");
    }
    assertThat(cm.isUncalled()).isTrue();
  }

  @Test
  void aSignalLongerThanAnyOfItsKindIsNotDecodedAndNothingElseIsMissed() throws Exception {
    try (Listener service = Listener.open(agent.place(AddressType.UNIX))) {
      assertThat(offer(0, variant(service.endpoint()), 0).isError()).isFalse();
      // As many values as fit: decoded, they would fill the agent's heap.
      Value[] signatures = new Value[1 << 20];
      Arrays.fill(signatures, Value.g(""));
      for (int i = 0; i < 4; i++) {
        cm.peer.signal(
            Cm.PATH,
            Names.STREAM_TUBE,
            "NewRemoteConnection",
            Value.u(1),
            new Value.Variant(Value.array("g", signatures)),
            Value.u(i));
      }
      assertThat(ChannelEvents.isOne(client.next("NewRemoteConnection").header())).isFalse();
      cm.peer.signal(Cm.PATH, Names.CHANNEL, "Closed");
      Sockets.await(() -> agent.link.listening().isEmpty());
    }
  }

  @ParameterizedTest
  @MethodSource("localKinds")
  void acceptedTubesServeManyConnections(long type, long access) throws Exception {
    try (Listener cmSocket = Listener.open(agent.place(AddressType.UNIX))) {
      cm.answering("Accept", cmSocket.endpoint());
      Peer.Received reply =
          client.call(
              cm.name(),
              Cm.PATH,
              Names.STREAM_TUBE,
              "Accept",
              Value.u(type),
              Value.u(access),
              new Value.Variant(Value.u(0)));
      Endpoint local = Addresses.parse(AddressType.of(type).orElseThrow(), reply.argument(0));
      for (int i = 0; i < 3; i++) {
        CompletableFuture<Connection> accepted = Sockets.start(cmSocket::accept);
        try (Connection connection =
                access == 3
                    ? TelepathySockets.connectWithByte(local, i)
                    : Connection.connect(local);
            Connection there = Peer.get(accepted)) {
          Sockets.write(connection, "ask");
          assertThat(Sockets.read(there, 3)).isEqualTo("ask");
        }
      }
      cm.peer.signal(Cm.PATH, Names.CHANNEL, "Closed");
      Sockets.await(() -> agent.forwards.list().isEmpty());
    }
  }

  static Stream<Arguments> localKinds() {
    return Stream.of(
        Arguments.of(0, 0),
        Arguments.of(0, 3),
        Arguments.of(1, 0),
        Arguments.of(1, 3),
        Arguments.of(2, 0),
        Arguments.of(3, 0));
  }

  // The older channel type, which has many tubes in one channel.

  private Peer.Received tubes(String member, Value... arguments) throws Exception {
    return client.call(cm.name(), Cm.PATH, Names.TUBES, member, arguments);
  }

  private Peer.Received addressOf(long id) throws Exception {
    return tubes("GetStreamTubeSocketAddress", Value.u(id));
  }

  @Test
  void whatTheTubesChannelCanDoIsWhatTheAgentCan() throws Exception {
    assertThat(tubes("GetAvailableStreamTubeTypes").argument(0))
        .isEqualTo(SocketAbilities.ALL.toValue());
  }

  @Test
  void oneOfManyTubesIsAcceptedAndAskedForAndClosed() throws Exception {
    try (Listener cmSocket = Listener.open(agent.place(AddressType.UNIX))) {
      cm.answering("AcceptStreamTube", cmSocket.endpoint());
      cm.on(
          "GetStreamTubeSocketAddress",
          call -> cm.peer.reply(call, Value.u(0), variant(cmSocket.endpoint())));
      Peer.Received accepted =
          tubes(
              "AcceptStreamTube",
              Value.u(5),
              Value.u(2),
              Value.u(0),
              new Value.Variant(Value.u(0)));
      Endpoint local = Addresses.parse(AddressType.IPV4, accepted.argument(0));
      // Accepted before: the same local address, of its own type.
      Peer.Received asked = addressOf(5);
      assertThat(asked.argument(0)).isEqualTo(Value.u(2));
      assertThat(Addresses.parse(AddressType.IPV4, asked.argument(1))).isEqualTo(local);
      // Another one, of which this agent knows nothing: a new forward.
      Peer.Received unknown = addressOf(9);
      Endpoint fresh = Addresses.parse(AddressType.UNIX, unknown.argument(1));
      assertThat(fresh).isNotEqualTo(cmSocket.endpoint());
      CompletableFuture<Connection> there = Sockets.start(cmSocket::accept);
      try (Connection here = Connection.connect(fresh);
          Connection atCm = Peer.get(there)) {
        Sockets.write(atCm, "x");
        assertThat(Sockets.read(here, 1)).isEqualTo("x");
      }
      assertThat(addressOf(9).argument(1)).as("again").isEqualTo(unknown.argument(1));
      // One ends, the other goes on.
      cm.peer.signal(Cm.PATH, Names.TUBES, "TubeClosed", Value.u(5));
      Sockets.await(() -> agent.forwards.list().size() == 1);
      Sockets.await(() -> Sockets.isRefused(local)); // The kernel may take its time over TCP.
      Connection.connect(fresh).close();
    }
  }

  @Test
  void anOfferedTubesAddressIsTheOriginal() throws Exception {
    cm.on(
        "GetStreamTubeSocketAddress",
        call -> cm.peer.reply(call, Value.u(0), variant(new Endpoint.UnixPath("/at/the/cm"))));
    try (Listener service = Listener.open(agent.place(AddressType.ABSTRACT_UNIX))) {
      Peer.Received offered =
          tubes(
              "OfferStreamTube",
              Value.of("x-test"),
              Value.dict(Map.of()),
              Value.u(1),
              variant(service.endpoint()),
              Value.u(0),
              new Value.Variant(Value.u(0)));
      assertThat(offered.argument(0)).isEqualTo(Value.u(6));
      assertThat(cm.next().is("GetAvailableStreamTubeTypes")).isTrue();
      Peer.Received call = cm.next();
      assertThat(call.argument(0)).isEqualTo(Value.of("x-test"));
      assertThat(call.argument(2)).isEqualTo(Value.u(0));
      assertThat(call.argument(3)).isNotEqualTo(variant(service.endpoint()));
      Peer.Received asked = addressOf(6);
      assertThat(asked.arguments()).containsExactly(Value.u(1), variant(service.endpoint()));
      cm.peer.signal(Cm.PATH, Names.TUBES, "TubeClosed", Value.u(6));
      Sockets.await(() -> agent.link.listening().isEmpty());
    }
  }

  @Test
  void manyConnectionsOfAnOldTubeNeedNoSignals() throws Exception {
    try (Listener service = Listener.open(agent.place(AddressType.UNIX))) {
      tubes(
          "OfferStreamTube",
          Value.of("x-test"),
          Value.dict(Map.of()),
          Value.u(0),
          variant(service.endpoint()),
          Value.u(0),
          new Value.Variant(Value.u(0)));
      Endpoint remote = agent.link.listening().get(0).endpoint();
      for (int i = 0; i < 1100; i++) {
        CompletableFuture<Connection> accepted = Sockets.start(service::accept);
        try (Connection atCm = Connection.connect(remote);
            Connection there = Peer.get(accepted)) {
          Sockets.write(atCm, "x");
          assertThat(Sockets.read(there, 1)).isEqualTo("x");
        }
      }
      Sockets.await(() -> agent.forwards.openStreams() == 0);
    }
  }

  @Test
  void aCmThatDoesNotSayWhatItCanIsAskedForWhatAllCan() throws Exception {
    cm.on(
        "GetAvailableStreamTubeTypes",
        call -> cm.peer.error(call, "org.freedesktop.DBus.Error.UnknownMethod", "too old"));
    try (Listener cmSocket = Listener.open(Sockets.anyPort(AddressType.IPV4))) {
      cm.answering("AcceptStreamTube", cmSocket.endpoint());
      Peer.Received accepted =
          tubes(
              "AcceptStreamTube",
              Value.u(5),
              Value.u(0),
              Value.u(0),
              new Value.Variant(Value.u(0)));
      assertThat(accepted.isError()).isFalse();
      cm.next();
      assertThat(cm.next().arguments().subList(1, 3)).containsExactly(Value.u(2), Value.u(0));
    }
  }

  @Test
  void anAbstractAddressIsNotImplementedAndSaysWhatWouldHelp() throws Exception {
    cm.on(
        "GetStreamTubeSocketAddress",
        call -> cm.peer.reply(call, Value.u(1), variant(new Endpoint.UnixAbstract("somewhere"))));
    Peer.Received refused = addressOf(3);
    assertThat(refused.errorName()).isEqualTo(ERROR + "NotImplemented");
    assertThat(refused.argument(0).toString()).contains("tpforward-server");
    assertThat(agent.forwards.list()).isEmpty();
  }
}
