package org.tpforward.loopback;

import static org.assertj.core.api.Assertions.assertThat;

import java.net.UnixDomainSocketAddress;
import java.nio.channels.SocketChannel;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.tpforward.dbus.SaslClient;
import org.tpforward.dbus.Value;
import org.tpforward.socket.Connection;
import org.tpforward.telepathy.AccessControl;
import org.tpforward.telepathy.AddressType;
import org.tpforward.telepathy.Addresses;
import org.tpforward.telepathy.SocketAbilities;
import org.tpforward.telepathy.SocketKind;

/** Channel.Type.Tubes of the loopback CM: numbered tubes in one channel. */
class TubesTest {
  private static final SocketKind UNIX = new SocketKind(AddressType.UNIX, AccessControl.LOCALHOST);
  private static final SocketKind IPV4 = new SocketKind(AddressType.IPV4, AccessControl.LOCALHOST);
  private static final String IFACE = Names.TUBES;
  private static final Value.Dict PARAMETERS = Value.dict(Map.of("a", Value.of(1)));

  @TempDir private Path directory;
  private PrivateDaemon daemon;
  private TestClient alice;
  private TestClient bob;
  private String offering = "";

  @BeforeEach
  void start() throws Exception {
    daemon = PrivateDaemon.start(directory);
    daemon.startCm(Profile.FULL);
    alice = TestClient.connect(daemon.socket(), "alice");
    bob = TestClient.connect(daemon.socket(), "bob");
    offering = alice.create(TestClient.tube(IFACE, Handles.CONTACT, "bob", ""));
  }

  @AfterEach
  void stop() {
    alice.close();
    bob.close();
    daemon.close();
  }

  private Value offerStream(EchoService service) throws Exception {
    return alice
        .call(
            offering,
            IFACE,
            "OfferStreamTube",
            Value.of("echo"),
            PARAMETERS,
            Value.u(0),
            Value.v(service.address()),
            Value.u(0),
            Value.v(Value.of("")))
        .get(0);
  }

  private static Value state(TestClient who, String channel, Value id) throws Exception {
    Value.Array list = (Value.Array) who.call(channel, IFACE, "ListTubes").get(0);
    return list.elements().stream()
        .map(element -> ((Value.Struct) element).fields())
        .filter(fields -> fields.get(0).equals(id))
        .map(fields -> fields.get(5))
        .findFirst()
        .orElseThrow();
  }

  @Test
  void carriesAStreamFromTheOneWhoAcceptsToTheOneWhoOffers() throws Exception {
    try (EchoService service = new EchoService(UNIX, directory)) {
      Value id = offerStream(service);
      String accepting = bob.awaitChannel();
      List<Value> announced = bob.await(accepting, "NewTube").body();
      assertThat(announced)
          .containsExactly(
              id,
              alice.property(alice.path(), Names.CONNECTION, "SelfHandle"),
              Value.u(1),
              Value.of("echo"),
              PARAMETERS,
              Value.u(0));

      Value address =
          bob.call(
                  accepting,
                  IFACE,
                  "AcceptStreamTube",
                  id,
                  Value.u(IPV4.type().code()),
                  Value.u(0),
                  Value.v(Value.of("")))
              .get(0);
      assertThat(state(bob, accepting, id)).isEqualTo(Value.u(2));
      assertThat(bob.call(accepting, IFACE, "GetStreamTubeSocketAddress", id))
          .containsExactly(Value.u(2), address);
      assertThat(alice.call(offering, IFACE, "GetStreamTubeSocketAddress", id))
          .containsExactly(Value.u(0), Value.v(service.address()));

      try (Connection connection =
          FileClient.connect(IPV4, Addresses.parse(AddressType.IPV4, address), null)) {
        List<Value> who = alice.await(offering, "StreamTubeNewConnection").body();
        assertThat(who)
            .containsExactly(id, bob.property(bob.path(), Names.CONNECTION, "SelfHandle"));
        FileClient.write(connection, new byte[] {1, 2, 3});
        connection.shutdownOutput();
        assertThat(FileClient.readAll(connection)).containsExactly(1, 2, 3);
      }

      bob.call(accepting, IFACE, "CloseTube", id);
      assertThat(bob.await(accepting, "TubeClosed").body()).containsExactly(id);
      assertThat(bob.errorOf(accepting, IFACE, "GetStreamTubeSocketAddress", id))
          .isEqualTo("InvalidArgument");
    }
  }

  @Test
  void opensOneChannelForAllTubes() throws Exception {
    try (EchoService service = new EchoService(UNIX, directory)) {
      Value first = offerStream(service);
      Value second =
          alice.call(offering, IFACE, "OfferDBusTube", Value.of("a.b"), PARAMETERS).get(0);
      String accepting = bob.awaitChannel();
      assertThat(bob.await(accepting, "NewTube").body().get(0)).isEqualTo(first);
      assertThat(bob.await(accepting, "NewTube").body().get(0)).isEqualTo(second);
    }
  }

  @Test
  void givesAddressesOfDBusTubesToBothEnds() throws Exception {
    Value id = alice.call(offering, IFACE, "OfferDBusTube", Value.of("a.b"), PARAMETERS).get(0);
    String accepting = bob.awaitChannel();
    assertThat(bob.errorOf(accepting, IFACE, "GetDBusTubeAddress", id)).isEqualTo("NotAvailable");
    Value accepted = bob.call(accepting, IFACE, "AcceptDBusTube", id).get(0);
    assertThat(bob.call(accepting, IFACE, "GetDBusTubeAddress", id)).containsExactly(accepted);
    assertThat(state(alice, offering, id)).isEqualTo(Value.u(2));

    Value offered = alice.call(offering, IFACE, "GetDBusTubeAddress", id).get(0);
    for (Value address : List.of(accepted, offered)) {
      String path = ((Value.Str) address).value().substring("unix:path=".length());
      try (SocketChannel channel = SocketChannel.open(UnixDomainSocketAddress.of(path))) {
        assertThat(SaslClient.external(channel, Duration.ofSeconds(30)).guid()).hasSize(32);
      }
    }
  }

  @Test
  void saysWhichSocketsItHas() throws Exception {
    assertThat(alice.call(offering, IFACE, "GetAvailableStreamTubeTypes"))
        .containsExactly(SocketAbilities.ALL.toValue());
    assertThat(alice.call(offering, IFACE, "GetAvailableTubeTypes"))
        .containsExactly(Value.array("u", Value.u(0), Value.u(1)));
  }

  @Test
  void refusesASecondAcceptAndNumbersThatAreNoTube() throws Exception {
    try (EchoService service = new EchoService(UNIX, directory)) {
      Value stream = offerStream(service);
      Value dbus = alice.call(offering, IFACE, "OfferDBusTube", Value.of("a.b"), PARAMETERS).get(0);
      String accepting = bob.awaitChannel();
      assertThat(acceptStream(alice, offering, stream)).isEqualTo("NotAvailable");
      assertThat(alice.errorOf(offering, IFACE, "AcceptDBusTube", dbus)).isEqualTo("NotAvailable");
      assertThat(acceptStream(bob, accepting, dbus))
          .as("of the other type")
          .isEqualTo("InvalidArgument");
      assertThat(acceptStream(bob, accepting, Value.u(4711))).isEqualTo("InvalidArgument");

      assertThat(acceptStream(bob, accepting, stream)).isEqualTo("none");
      assertThat(acceptStream(bob, accepting, stream)).isEqualTo("NotAvailable");
      assertThat(bob.errorOf(accepting, IFACE, "AcceptDBusTube", dbus)).isEqualTo("none");
      assertThat(bob.errorOf(accepting, IFACE, "AcceptDBusTube", dbus)).isEqualTo("NotAvailable");
    }
  }

  private static String acceptStream(TestClient who, String channel, Value id) {
    return who.errorOf(
        channel, IFACE, "AcceptStreamTube", id, Value.u(0), Value.u(0), Value.v(Value.of("")));
  }

  @Test
  void unlinksTheSocketOfATubeThatIsClosedAndLeavesTheOthers() throws Exception {
    Path other = java.nio.file.Files.createDirectory(directory.resolve("other"));
    try (EchoService first = new EchoService(UNIX, directory);
        EchoService second = new EchoService(UNIX, other)) {
      Value id = offerStream(first);
      Value stays = offerStream(second);
      alice.call(offering, IFACE, "CloseTube", id);
      assertThat(directory.resolve("echo")).doesNotExist();
      assertThat(other.resolve("echo")).exists();
      assertThat(state(alice, offering, stays)).isEqualTo(Value.u(1));
      alice.call(offering, Names.CHANNEL, "Close");
      assertThat(alice.await(offering, "TubeClosed").body()).containsExactly(id);
      assertThat(alice.await(offering, "TubeClosed").body()).containsExactly(stays);
      assertThat(other.resolve("echo")).doesNotExist();
    }
  }

  @Test
  void becomesOpenWithTheFirstConnection() throws Exception {
    try (EchoService service = new EchoService(UNIX, directory)) {
      Value id = offerStream(service);
      String accepting = bob.awaitChannel();
      Value address =
          bob.call(
                  accepting,
                  IFACE,
                  "AcceptStreamTube",
                  id,
                  Value.u(0),
                  Value.u(0),
                  Value.v(Value.of("")))
              .get(0);
      assertThat(state(alice, offering, id)).isEqualTo(Value.u(1));
      try (Connection _ =
          FileClient.connect(UNIX, Addresses.parse(AddressType.UNIX, address), null)) {
        assertThat(alice.await(offering, "TubeStateChanged").body())
            .containsExactly(id, Value.u(2));
      }
    }
  }

  @Test
  void namesTheMembersOfADBusTubeInARoom() throws Exception {
    String room = alice.create(TestClient.tube(IFACE, Handles.ROOM, "a room", ""));
    Value id = alice.call(room, IFACE, "OfferDBusTube", Value.of("a.b"), PARAMETERS).get(0);
    assertThat(state(alice, room, id)).as("at once, in a room").isEqualTo(Value.u(2));
    String accepting = bob.awaitChannel();
    assertThat(bob.property(accepting, Names.CHANNEL, "TargetID")).isEqualTo(Value.of("a room"));
    bob.call(accepting, IFACE, "AcceptDBusTube", id);

    Value alicesName = name(alice);
    Value bobsName = name(bob);
    alice.await(room, "DBusNamesChanged", body -> body.get(1).equals(names(bobsName)));
    assertThat(alice.call(room, IFACE, "GetDBusNames", id))
        .containsExactly(names(alicesName, bobsName));
    Value handleOfBob = handle(bob);
    bob.call(accepting, IFACE, "CloseTube", id);
    alice.await(
        room, "DBusNamesChanged", body -> body.get(2).equals(Value.array("u", handleOfBob)));
    assertThat(alice.call(room, IFACE, "GetDBusNames", id)).containsExactly(names(alicesName));
  }

  private static Value handle(TestClient who) throws Exception {
    return Value.u(who.handle());
  }

  private static Value name(TestClient who) throws Exception {
    return Value.struct(handle(who), Value.of(":2." + who.handle()));
  }

  private static Value names(Value... names) {
    return Value.array("(us)", names);
  }
}
