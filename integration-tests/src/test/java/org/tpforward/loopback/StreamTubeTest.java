package org.tpforward.loopback;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.tpforward.dbus.Value;
import org.tpforward.socket.Connection;
import org.tpforward.socket.Endpoint;
import org.tpforward.socket.Listener;
import org.tpforward.telepathy.AccessControl;
import org.tpforward.telepathy.AddressType;
import org.tpforward.telepathy.Addresses;
import org.tpforward.telepathy.SocketKind;

/** Stream tubes of the loopback CM: alice offers a service that sends back what it gets. */
class StreamTubeTest {
  private static final SocketKind UNIX = new SocketKind(AddressType.UNIX, AccessControl.LOCALHOST);
  private static final String IFACE = Names.STREAM_TUBE;

  @TempDir private static Path directory;
  private static PrivateDaemon daemon;
  private static int run;

  @TempDir private Path here;
  private TestClient alice;
  private TestClient bob;

  @BeforeAll
  static void startTheCm() throws Exception {
    daemon = PrivateDaemon.start(directory);
    daemon.startCm(Profile.FULL);
  }

  @AfterAll
  static void stop() {
    daemon.close();
  }

  @BeforeEach
  void connect() throws Exception {
    run++;
    alice = TestClient.connect(daemon.socket(), "alice" + run);
    bob = TestClient.connect(daemon.socket(), "bob" + run);
  }

  @AfterEach
  void disconnect() throws Exception {
    for (TestClient client : List.of(alice, bob)) {
      client.call(client.path(), Names.CONNECTION, "Disconnect");
      client.close();
    }
  }

  static List<SocketKind> kinds() {
    return SocketKind.ALL;
  }

  private static Map<String, Value> request(int targetType, String target) {
    return TestClient.tube(IFACE, targetType, target, "echo");
  }

  private String create() throws Exception {
    return alice.create(request(1, bob.account()));
  }

  private void offer(String tube, EchoService service, SocketKind kind) throws Exception {
    alice.call(
        tube,
        IFACE,
        "Offer",
        Value.u(kind.type().code()),
        Value.v(service.address()),
        Value.u(kind.access().code()),
        Value.dict(Map.of("password", Value.of("xyzzy"))));
  }

  private static Endpoint accept(TestClient who, String tube, SocketKind kind, Value parameter)
      throws Exception {
    List<Value> reply =
        who.call(
            tube,
            IFACE,
            "Accept",
            Value.u(kind.type().code()),
            Value.u(kind.access().code()),
            Value.v(parameter));
    return Addresses.parse(kind.type(), reply.get(0));
  }

  /** Sends something, ends, and expects the same and the end. */
  private static void expectEcho(Connection connection) throws Exception {
    byte[] data = FileClient.bytes(100_000, 1);
    Thread writer =
        Thread.ofPlatform()
            .start(() ->
                Unchecked.run(() -> {
                  FileClient.write(connection, data);
                  connection.shutdownOutput();
                }));
    assertThat(FileClient.readAll(connection)).isEqualTo(data);
    writer.join();
  }

  @ParameterizedTest
  @MethodSource("kinds")
  void isAcceptedWithSocketsOfEveryKind(SocketKind kind) throws Exception {
    try (EchoService service = new EchoService(UNIX, here)) {
      String offered = create();
      offer(offered, service, UNIX);
      String incoming = bob.awaitChannel();
      Endpoint.Ip from = FileClient.freePort(kind);
      Endpoint where = accept(bob, incoming, kind, FileClient.parameter(kind, from));
      try (Connection connection = FileClient.connect(kind, where, from)) {
        // After the byte, data must wait for this.
        Value id = bob.await(incoming, "NewLocalConnection").body().get(0);
        expectEcho(connection);
        assertThat(bob.await(incoming, "ConnectionClosed").body().get(0)).isEqualTo(id);
        assertThat(alice.await(offered, "ConnectionClosed").body().get(0)).isEqualTo(id);
      }
    }
  }

  @ParameterizedTest
  @MethodSource("kinds")
  void offersServicesOfEveryKindAndSaysWhoConnected(SocketKind kind) throws Exception {
    try (EchoService service = new EchoService(kind, here)) {
      String offered = create();
      offer(offered, service, kind);
      Endpoint where = accept(bob, bob.awaitChannel(), UNIX, Value.of(""));
      try (Connection connection = FileClient.connect(UNIX, where, null)) {
        List<Value> said = alice.await(offered, "NewRemoteConnection").body();
        assertThat(said.get(0)).isEqualTo(bob.property(bob.path(), Names.CONNECTION, "SelfHandle"));
        Value client = service.nextClient();
        if (kind.access() == AccessControl.PORT) {
          assertThat(((Value.Variant) said.get(1)).value().signature()).isEqualTo("(su)");
          assertThat(Addresses.ip(said.get(1))).isEqualTo(Addresses.ip(client));
        } else {
          assertThat(said.get(1)).isEqualTo(Value.v(client));
        }
        expectEcho(connection);
      }
    }
  }

  @Test
  void goesThroughItsStates() throws Exception {
    try (EchoService service = new EchoService(UNIX, here)) {
      String offered = create();
      assertThat(state(alice, offered)).isEqualTo(3);
      offer(offered, service, UNIX);
      assertThat(state(alice, offered)).isEqualTo(1);
      String incoming = bob.awaitChannel();
      assertThat(state(bob, incoming)).isEqualTo(0);
      assertThat(bob.property(incoming, Names.TUBE, "Parameters"))
          .isEqualTo(Value.dict(Map.of("password", Value.of("xyzzy"))));

      Endpoint where = accept(bob, incoming, UNIX, Value.of(""));
      assertThat(state(bob, incoming)).isEqualTo(2);
      assertThat(state(alice, offered)).as("open only with the first connection").isEqualTo(1);

      try (Connection _ = FileClient.connect(UNIX, where, null)) {
        alice.await(offered, "TubeChannelStateChanged", body -> body.get(0).equals(Value.u(2)));
      }
    }
  }

  private static long state(TestClient who, String tube) throws Exception {
    return ((Value.Uint32) who.property(tube, Names.TUBE, "State")).value();
  }

  @Test
  void isTheOnlyOneForItsServiceUntilItIsClosed() throws Exception {
    String first = create();
    assertThat(
            alice.errorOf(
                alice.path(),
                Names.REQUESTS,
                "CreateChannel",
                Value.dict(request(1, bob.account()))))
        .isEqualTo("NotAvailable");
    List<Value> ensured =
        alice.call(
            alice.path(), Names.REQUESTS, "EnsureChannel", Value.dict(request(1, bob.account())));
    assertThat(ensured.subList(0, 2)).containsExactly(Value.of(false), Value.o(first));
    alice.call(first, Names.CHANNEL, "Close");
    assertThat(create()).isNotEqualTo(first);
  }

  @Test
  void isOfferedAndAcceptedOnce() throws Exception {
    try (EchoService service = new EchoService(UNIX, here)) {
      String offered = create();
      offer(offered, service, UNIX);
      String incoming = bob.awaitChannel();
      assertThat(offerError(alice, offered, service)).isEqualTo("NotAvailable");
      assertThat(offerError(bob, incoming, service)).isEqualTo("NotAvailable");
      assertThat(acceptError(alice, offered)).isEqualTo("NotAvailable");
      Endpoint where = accept(bob, incoming, UNIX, Value.of(""));
      assertThat(acceptError(bob, incoming)).isEqualTo("NotAvailable");
      try (Connection connection = FileClient.connect(UNIX, where, null)) {
        expectEcho(connection); // What was refused did the tube no harm.
      }
    }
  }

  private static String offerError(TestClient who, String tube, EchoService service) {
    return who.errorOf(
        tube,
        IFACE,
        "Offer",
        Value.u(0),
        Value.v(service.address()),
        Value.u(0),
        Value.dict(Map.of()));
  }

  private static String acceptError(TestClient who, String tube) {
    return who.errorOf(tube, IFACE, "Accept", Value.u(0), Value.u(0), Value.v(Value.of("")));
  }

  @Test
  void unlinksTheOfferedSocketWhenItGoesAndDoesNotTellThePeer() throws Exception {
    try (EchoService service = new EchoService(UNIX, here)) {
      String offered = create();
      offer(offered, service, UNIX);
      String incoming = bob.awaitChannel();
      Endpoint where = accept(bob, incoming, UNIX, Value.of(""));

      alice.call(offered, Names.CHANNEL, "Close");

      assertThat(here.resolve("echo")).doesNotExist();
      assertThat(state(bob, incoming)).isEqualTo(2);
      try (Connection late = FileClient.connect(UNIX, where, null)) {
        assertThat(FileClient.isDisconnected(late)).isTrue();
      }
      List<Value> closed = bob.await(incoming, "ConnectionClosed").body();
      assertThat(closed.get(1))
          .isEqualTo(Value.of("org.freedesktop.Telepathy.Error.ConnectionRefused"));
    }
  }

  @Test
  void unlinksTheOfferedSocketWhenTheAccountGoesOffline() throws Exception {
    try (EchoService service = new EchoService(UNIX, here);
        TestClient carol = TestClient.connect(daemon.socket(), "carol" + run)) {
      String offered = carol.create(request(1, bob.account()));
      assertThat(offerError(carol, offered, service)).isEqualTo("none");
      carol.call(carol.path(), Names.CONNECTION, "Disconnect");
      assertThat(here.resolve("echo")).doesNotExist();
    }
  }

  /** More than the service's socket and the CM's buffer hold: a part waits at the CM's socket. */
  @Test
  void passesOnWhatHasComeBeforeTheTubeWasClosed() throws Exception {
    byte[] data = FileClient.bytes(300_000, 3);
    Endpoint at = new Endpoint.UnixPath(here.resolve("slow").toString());
    try (Listener slow = Listener.open(at)) {
      String offered = create();
      alice.call(
          offered,
          IFACE,
          "Offer",
          Value.u(0),
          Value.v(Addresses.toValue(at)),
          Value.u(0),
          Value.dict(Map.of()));
      String incoming = bob.awaitChannel();
      Endpoint where = accept(bob, incoming, UNIX, Value.of(""));
      try (Connection client = FileClient.connect(UNIX, where, null);
          Connection service = slow.accept()) {
        alice.await(offered, "NewRemoteConnection");
        FileClient.write(client, data);
        alice.call(offered, Names.CHANNEL, "Close");
        assertThat(FileClient.readAll(service)).isEqualTo(data);
      }
      bob.await(incoming, "ConnectionClosed");
    }
  }

  @Test
  void reportsAServiceThatIsNotThere() throws Exception {
    EchoService service =
        new EchoService(new SocketKind(AddressType.IPV4, AccessControl.LOCALHOST), here);
    service.close();
    String offered = create();
    offer(offered, service, new SocketKind(AddressType.IPV4, AccessControl.LOCALHOST));
    String incoming = bob.awaitChannel();
    Endpoint where = accept(bob, incoming, UNIX, Value.of(""));
    try (Connection connection = FileClient.connect(UNIX, where, null)) {
      assertThat(FileClient.isDisconnected(connection)).isTrue();
    }
    bob.await(incoming, "ConnectionClosed");
  }

  @Test
  void refusesAddressesThatNameNothing() throws Exception {
    String offered = create();
    for (Value address :
        List.of(
            Value.of(here.toString().getBytes(java.nio.charset.StandardCharsets.UTF_8)),
            Value.of(new byte[200]),
            Value.of("a string"))) {
      assertThat(
              alice.errorOf(
                  offered,
                  IFACE,
                  "Offer",
                  Value.u(0),
                  Value.v(address),
                  Value.u(0),
                  Value.dict(Map.of())))
          .isEqualTo("InvalidArgument");
    }
  }

  @Test
  void carriesManyConnectionsAtOnce() throws Exception {
    try (EchoService service = new EchoService(UNIX, here)) {
      String offered = create();
      offer(offered, service, UNIX);
      Endpoint where = accept(bob, bob.awaitChannel(), UNIX, Value.of(""));
      List<Thread> clients = new java.util.ArrayList<>();
      List<Throwable> failures =
          java.util.Collections.synchronizedList(new java.util.ArrayList<>());
      for (int i = 0; i < 50; i++) {
        clients.add(
            Thread.ofPlatform()
                .start(() -> {
                  try (Connection connection = FileClient.connect(UNIX, where, null)) {
                    expectEcho(connection);
                  } catch (Throwable t) {
                    failures.add(t);
                  }
                }));
      }
      for (Thread client : clients) {
        client.join();
      }
      assertThat(failures).isEmpty();
    }
  }

  @Test
  void inARoomReachesEveryMember() throws Exception {
    try (EchoService service = new EchoService(UNIX, here);
        TestClient carol = TestClient.connect(daemon.socket(), "carol" + run)) {
      String offered = alice.create(request(2, "a room " + run));
      offer(offered, service, UNIX);
      for (TestClient member : List.of(bob, carol)) {
        String incoming = member.awaitChannel();
        assertThat(member.property(incoming, Names.CHANNEL, "TargetHandleType"))
            .isEqualTo(Value.u(2));
        assertThat(member.property(incoming, Names.CHANNEL, "TargetID"))
            .isEqualTo(Value.of("a room " + run));
        assertThat(member.property(incoming, Names.CHANNEL, "InitiatorID"))
            .isEqualTo(Value.of(alice.account()));
        Endpoint where = accept(member, incoming, UNIX, Value.of(""));
        try (Connection connection = FileClient.connect(UNIX, where, null)) {
          expectEcho(connection);
        }
        assertThat(alice.await(offered, "NewRemoteConnection").body().get(0))
            .isEqualTo(member.property(member.path(), Names.CONNECTION, "SelfHandle"));
      }
      carol.call(carol.path(), Names.CONNECTION, "Disconnect");
    }
  }
}
