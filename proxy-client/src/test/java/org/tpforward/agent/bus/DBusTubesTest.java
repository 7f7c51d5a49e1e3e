package org.tpforward.agent.bus;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.tpforward.agent.forward.OtherUser;
import org.tpforward.agent.forward.Sockets;
import org.tpforward.dbus.BusAddress;
import org.tpforward.dbus.Value;
import org.tpforward.socket.Connection;
import org.tpforward.socket.Endpoint;
import org.tpforward.socket.Listener;
import org.tpforward.telepathy.AddressType;
import org.tpforward.telepathy.Names;

/** D-Bus tubes: an address crosses in a reply, and SASL ends on both sides. */
class DBusTubesTest {
  private static final String ERROR = "org.freedesktop.Telepathy.Error.";
  private static final String GUID = "0123456789abcdef0123456789abcdef";

  @TempDir Path directory;
  private TestBus bus;
  private AgentFixture agent;
  private Cm cm;
  private Peer client;
  private Listener tube;

  @BeforeEach
  void start() throws Exception {
    bus = new TestBus(directory);
    agent = new AgentFixture(directory, bus.socket());
    cm = new Cm(bus.socket());
    client = agent.client();
    tube = Listener.open(agent.place(AddressType.UNIX));
    supported(0, 3);
    answering("unix:path=" + path() + ",guid=" + GUID);
  }

  @AfterEach
  void stop() {
    tube.close();
    client.close();
    cm.close();
    agent.close();
    bus.close();
  }

  private String path() {
    return ((Endpoint.UnixPath) tube.endpoint()).path();
  }

  private void supported(long... accesses) {
    cm.properties(
        Names.DBUS_TUBE,
        Map.of(
            "SupportedAccessControls",
            new Value.Array(
                "u", Arrays.stream(accesses).mapToObj(a -> (Value) Value.u(a)).toList())));
  }

  private void answering(String address) {
    for (String member : List.of("Accept", "Offer", "AcceptDBusTube", "GetDBusTubeAddress")) {
      cm.on(member, call -> cm.peer.reply(call, Value.of(address)));
    }
  }

  private Peer.Received accept(long access) throws Exception {
    return client.call(cm.name(), Cm.PATH, Names.DBUS_TUBE, "Accept", Value.u(access));
  }

  private static Endpoint local(Peer.Received reply) throws Exception {
    BusAddress address = BusAddress.parse(((Value.Str) reply.argument(0)).value()).get(0);
    assertThat(address.transport()).isEqualTo("unix");
    return new Endpoint.UnixPath(String.valueOf(address.key("path")));
  }

  private static String line(Connection from) throws Exception {
    StringBuilder line = new StringBuilder();
    while (line.indexOf("\r\n") < 0) {
      line.append(Sockets.read(from, 1));
    }
    return line.toString().strip();
  }

  private static void say(Connection to, String text) throws Exception {
    to.write(ByteBuffer.wrap(text.getBytes(StandardCharsets.ISO_8859_1)));
  }

  @ParameterizedTest
  @ValueSource(strings = {"EXTERNAL", "ANONYMOUS 74"})
  void saslEndsOnBothSidesAndThenBytesFlow(String mechanism) throws Exception {
    Endpoint local = local(accept(0));
    assertThat(cm.next().argument(0)).isEqualTo(Value.u(0));
    CompletableFuture<Connection> accepted = Sockets.start(tube::accept);
    try (Connection here = Connection.connect(local)) {
      say(here, "\0AUTH " + mechanism + "\r\n");
      if (mechanism.equals("EXTERNAL")) {
        assertThat(line(here)).isEqualTo("DATA");
        say(here, "DATA\r\n");
      }
      assertThat(line(here)).startsWith("OK ").doesNotContain(GUID);
      say(here, "BEGIN\r\nfirst bytes");
      try (Connection atCm = Peer.get(accepted)) {
        assertThat(Sockets.read(atCm, 1)).isEqualTo("\0");
        assertThat(line(atCm)).isEqualTo("AUTH EXTERNAL");
        // Here Localhost lets in whom EXTERNAL does not know.
        say(atCm, "REJECTED ANONYMOUS\r\n");
        assertThat(line(atCm)).startsWith("AUTH ANONYMOUS ");
        say(atCm, "OK " + GUID + "\r\n");
        assertThat(line(atCm)).isEqualTo("BEGIN");
        assertThat(Sockets.read(atCm, 11)).isEqualTo("first bytes");
        say(atCm, "and back");
        assertThat(Sockets.read(here, 8)).isEqualTo("and back");
      }
    }
  }

  @Test
  void underCredentialsOnlyExternalIsTriedAndWhatComesWithItsAnswerIsNotLost() throws Exception {
    supported(3);
    Endpoint local = local(accept(0));
    assertThat(cm.next().argument(0)).as("what the CM has").isEqualTo(Value.u(3));
    CompletableFuture<Connection> accepted = Sockets.start(tube::accept);
    try (Connection here = Connection.connect(local)) {
      say(here, "\0AUTH EXTERNAL\r\nDATA\r\nBEGIN\r\n");
      try (Connection atCm = Peer.get(accepted)) {
        assertThat(Sockets.read(atCm, 1)).isEqualTo("\0");
        assertThat(line(atCm)).isEqualTo("AUTH EXTERNAL");
        assertThat(line(atCm)).isEqualTo("DATA");
        assertThat(line(atCm)).isEqualTo("BEGIN");
        say(atCm, "DATA\r\nOK " + GUID + "\r\nat once");
        assertThat(line(here)).isEqualTo("DATA");
        assertThat(line(here)).startsWith("OK ");
        assertThat(Sockets.read(here, 7)).isEqualTo("at once");
      }
    }
  }

  @Test
  void aCmThatRejectsEndsTheConnection() throws Exception {
    supported(3);
    Endpoint local = local(accept(3));
    CompletableFuture<Connection> accepted = Sockets.start(tube::accept);
    try (Connection here = Connection.connect(local)) {
      say(here, "\0AUTH EXTERNAL\r\nDATA\r\nBEGIN\r\n");
      try (Connection atCm = Peer.get(accepted)) {
        say(atCm, "REJECTED EXTERNAL\r\n");
        Sockets.awaitEnd(here);
        Sockets.awaitEnd(atCm);
      }
    }
    Sockets.await(() -> agent.forwards.openStreams() == 0);
  }

  @Test
  void anotherUserIsGoneBeforeTheCmIsReached() throws Exception {
    OtherUser.open(directory);
    assertThat(OtherUser.connectTo(local(accept(0)))).isIn("closed after 0", "reset after 0");
    assertThat(agent.link.opened()).isZero();
  }

  @ParameterizedTest
  @CsvSource({
    "unix:path=PATH",
    "unix:abstract=nope;unix:path=PATH",
    "unix:dir=/tmp;nonsense:x=y;unix:path=PATH,guid=0123456789abcdef0123456789abcdef"
  })
  void theFirstAddressThatTheServerReachesIsTaken(String addresses) throws Exception {
    answering(addresses.replace("PATH", path().replace("-", "%2d")));
    Endpoint local = local(accept(0));
    CompletableFuture<Connection> accepted = Sockets.start(tube::accept);
    try (Connection here = Connection.connect(local)) {
      say(here, "\0AUTH EXTERNAL\r\nDATA\r\nBEGIN\r\n");
      Peer.get(accepted).close();
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {"127.0.0.1", "localhost"})
  void tcpOnLoopbackIsReached(String host) throws Exception {
    try (Listener tcp = Listener.open(Sockets.anyPort(AddressType.IPV4))) {
      int port = ((Endpoint.Ip) tcp.endpoint()).port();
      answering("tcp:host=" + host + ",port=" + port + ",family=ipv4");
      Endpoint local = local(accept(0));
      CompletableFuture<Connection> accepted = Sockets.start(tcp::accept);
      try (Connection here = Connection.connect(local)) {
        say(here, "\0AUTH EXTERNAL\r\nDATA\r\nBEGIN\r\n");
        Peer.get(accepted).close();
      }
    }
  }

  @ParameterizedTest
  @CsvSource({
    "unix:abstract=only, NotImplemented",
    "'tcp:host=192.0.2.1,port=80', NotImplemented",
    "'tcp:host=::,port=80', NotAvailable",
    "'tcp:host=127.0.0.1,port=0', NotImplemented",
    "'tcp:host=127.0.0.1,port=99999', NotImplemented",
    "unix:path=relative, NotImplemented",
    "unix:path=%00, NotAvailable",
    "rubbish, NotAvailable",
    "'', NotAvailable"
  })
  void anAddressThatIsNotReachedIsRefusedWithALogLine(String address, String error)
      throws Exception {
    answering(address);
    try (Logs logs = new Logs()) {
      assertThat(accept(0).errorName()).isEqualTo(ERROR + error);
      logs.await("WARN", "DBUS_TUBE", "refused");
    }
    Sockets.await(() -> agent.forwards.list().isEmpty());
    client.roundTrip();
  }

  @Test
  void aPathThatFitsIntoNoSocketAddressIsNotReached() throws Exception {
    answering("unix:path=/" + "x".repeat(200));
    assertThat(accept(0).errorName()).isEqualTo(ERROR + "NotImplemented");
  }

  @ParameterizedTest
  @CsvSource({"1, NotImplemented", "2, NotImplemented", "4, InvalidArgument"})
  void accessControlsThatDoNotExistAreRefused(long access, String error) throws Exception {
    assertThat(accept(access).errorName()).isEqualTo(ERROR + error);
    assertThat(cm.isUncalled()).isTrue();
  }

  @Test
  void theSideThatOffersGetsALocalAddressToo() throws Exception {
    Peer.Received reply =
        client.call(
            cm.name(),
            Cm.PATH,
            Names.DBUS_TUBE,
            "Offer",
            Value.dict(Map.of("a", Value.of("b"))),
            Value.u(3));
    assertThat(local(reply)).isNotEqualTo(tube.endpoint());
    assertThat(cm.next().argument(0)).isEqualTo(Value.dict(Map.of("a", Value.of("b"))));
  }

  @Test
  void whoAsksAgainGetsTheSameAddressAndItGoesWithItsTube() throws Exception {
    Peer.Received accepted =
        client.call(cm.name(), Cm.PATH, Names.TUBES, "AcceptDBusTube", Value.u(4));
    try (Peer another = agent.client()) {
      for (Peer asking : List.of(client, another)) {
        Peer.Received again =
            asking.call(cm.name(), Cm.PATH, Names.TUBES, "GetDBusTubeAddress", Value.u(4));
        assertThat(again.argument(0)).isEqualTo(accepted.argument(0));
      }
    }
    assertThat(agent.forwards.list()).hasSize(1);
    cm.peer.signal(Cm.PATH, Names.TUBES, "TubeClosed", Value.u(4));
    Sockets.await(() -> agent.forwards.list().isEmpty());
  }
}
