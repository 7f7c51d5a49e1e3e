package org.tpforward.loopback;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.SocketChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.tpforward.dbus.Value;
import org.tpforward.telepathy.AccessControl;

/** D-Bus tubes of the loopback CM: a pipe between contacts, a bus in a room. */
@Timeout(120) // reads here have no bound of their own
class DBusTubeTest {
  private static final String IFACE = Names.DBUS_TUBE;
  private static final int LOCALHOST = 0;
  private static final int CREDENTIALS = 3;

  @TempDir private Path directory;

  @SuppressWarnings("NullAway.Init") // by start, first in each test
  private PrivateDaemon daemon;

  @SuppressWarnings("NullAway.Init") // by start, first in each test
  private TestClient alice;

  @SuppressWarnings("NullAway.Init") // by start, first in each test
  private TestClient bob;

  private void start(Profile profile) throws Exception {
    daemon = PrivateDaemon.start(directory);
    daemon.startCm(profile);
    alice = TestClient.connect(daemon.socket(), "alice");
    bob = TestClient.connect(daemon.socket(), "bob");
  }

  @AfterEach
  void stop() {
    alice.close();
    bob.close();
    daemon.close();
  }

  private String create(int targetType, String target) throws Exception {
    return alice.create(TestClient.tube(IFACE, targetType, target, "org.example.Service"));
  }

  private String offer(String tube, int access) throws Exception {
    return text(alice.call(tube, IFACE, "Offer", Value.dict(Map.of()), Value.u(access)));
  }

  private static String accept(TestClient who, String tube, int access) throws Exception {
    return text(who.call(tube, IFACE, "Accept", Value.u(access)));
  }

  private static String text(List<Value> reply) {
    return ((Value.Str) reply.get(0)).value();
  }

  @Test
  void passesMessagesOnBetweenContactsAndKeepsThoseThatComeEarly() throws Exception {
    start(Profile.GABBLE);
    String offered = create(1, "bob");
    DBusTubeClient left = DBusTubeClient.connect(offer(offered, LOCALHOST));
    try (left) {
      left.send("before anybody listens");
      String incoming = bob.awaitChannel();
      try (DBusTubeClient right = DBusTubeClient.connect(accept(bob, incoming, LOCALHOST))) {
        right.expect("before anybody listens");
        right.send("and back");
        assertThat(left.expect("and back").sender()).isNull();
        alice.await(offered, "TubeChannelStateChanged", b -> b.get(0).equals(Value.u(2)));
        left.end();
        right.expectEnd();
      }
    }
  }

  @Test
  void takesOneConnection() throws Exception {
    start(Profile.GABBLE);
    String address = offer(create(1, "bob"), CREDENTIALS);
    try (DBusTubeClient _ = DBusTubeClient.connect(address)) {
      assertThatThrownBy(() -> DBusTubeClient.connect(address).close())
          .isInstanceOf(IOException.class);
    }
  }

  @Test
  void letsNobodyInAnonymouslyUnderCredentials() throws Exception {
    start(Profile.FULL);
    assertThat(tryAnonymous(offer(create(1, "bob"), CREDENTIALS))).startsWith("REJECTED");
    assertThat(tryAnonymous(accept(bob, bob.awaitChannel(), LOCALHOST))).startsWith("OK ");
  }

  @Test
  void takesCredentialsWhateverIsAskedForAsGabbleDoes() throws Exception {
    start(Profile.GABBLE);
    offer(create(1, "bob"), LOCALHOST);
    assertThat(tryAnonymous(accept(bob, bob.awaitChannel(), LOCALHOST))).startsWith("REJECTED");
  }

  private static String tryAnonymous(String address) throws IOException {
    try (SocketChannel channel = DBusTubeClient.open(address)) {
      channel.write(ByteBuffer.wrap("\0AUTH ANONYMOUS\r\n".getBytes(StandardCharsets.US_ASCII)));
      ByteBuffer reply = ByteBuffer.allocate(200);
      channel.read(reply);
      return new String(reply.array(), 0, reply.position(), StandardCharsets.US_ASCII);
    }
  }

  @Test
  void isOnTcpWhereThereIsNothingElse() throws Exception {
    start(Profile.TCP_ONLY);
    String offered = create(1, "bob");
    assertThat(alice.errorOf(offered, IFACE, "Offer", Value.dict(Map.of()), Value.u(CREDENTIALS)))
        .isEqualTo("NotImplemented");
    String address = offer(offered, LOCALHOST);
    assertThat(address).startsWith("tcp:host=127.0.0.1,");
    DBusTubeClient.connect(address).close();
  }

  @Test
  void isABusWithNamesInARoom() throws Exception {
    start(Profile.FULL);
    String offered = create(2, "room");
    try (DBusTubeClient left = DBusTubeClient.connect(offer(offered, CREDENTIALS))) {
      String incoming = bob.awaitChannel();
      try (DBusTubeClient right = DBusTubeClient.connect(accept(bob, incoming, CREDENTIALS))) {
        long handleOfAlice = alice.handle();
        long handleOfBob = bob.handle();
        alice.await(offered, "DBusNamesChanged", b -> named(handleOfAlice, b.get(0)));
        alice.await(offered, "DBusNamesChanged", b -> named(handleOfBob, b.get(0)));
        assertThat(named(handleOfAlice, bob.property(incoming, IFACE, "DBusNames"))).isTrue();
        bob.await(Names.CM_PATH, "Admitted", b -> b.get(0).equals(Value.o(incoming)));

        left.send("to all");
        assertThat(right.expect("to all").sender()).isEqualTo(":2." + alice.handle());
      }
      bob.call(incoming, Names.CHANNEL, "Close");
      List<Value> gone =
          alice
              .await(
                  offered, "DBusNamesChanged", b -> ((Value.Array) b.get(1)).elements().size() == 1)
              .body();
      assertThat(gone.get(1)).isEqualTo(Value.array("u", Value.u(bob.handle())));
    }
  }

  private static boolean named(long handle, Value names) {
    return ((Value.Dict) names)
        .entries().stream().anyMatch(entry -> entry.key().equals(Value.u(handle)));
  }

  /** Who is in the room hears what is sent to it: tests send once they know that somebody is in. */
  @Test
  void saysThatAClientIsLetInOnlyOnceMessagesReachIt() throws Exception {
    start(Profile.FULL);
    BlockingQueue<Boolean> told = new LinkedBlockingQueue<>();
    try (Bus bus = Bus.connect(daemon.address())) {
      bus.requestName("org.example.Door");
      bus.export(new BusObject("/"));
      Thread.ofPlatform().daemon().start(bus::run);
      try (TubeServer server =
              new TubeServer(
                  AccessControl.CREDENTIALS,
                  false,
                  SocketDirectory.open(directory.resolve("door")),
                  "/its/channel",
                  new Door(bus),
                  channel -> told.add(isTold(channel)));
          DBusTubeClient _ = DBusTubeClient.connect(server.address())) {
        assertThat(told.take()).as("told before").isFalse();
        alice.await(Names.CM_PATH, "Admitted", body -> body.get(0).equals(Value.o("/its/channel")));
      }
    }
  }

  /** Whether alice has been told; a signal that was sent is there before a later reply. */
  private boolean isTold(SocketChannel channel) {
    assertThat(channel.isOpen()).isTrue();
    Unchecked.run(() -> alice.callAt("org.example.Door", "/", BusObject.PEER, "Ping"));
    return alice.has(Names.CM_PATH, "Admitted");
  }

  @Test
  void inARoomAMessageReachesTheOneItIsAddressedToOrAll() throws Exception {
    start(Profile.FULL);
    try (TestClient carol = TestClient.connect(daemon.socket(), "carol")) {
      String offered = create(Handles.ROOM, "room");
      try (DBusTubeClient left = DBusTubeClient.connect(offer(offered, CREDENTIALS));
          DBusTubeClient right = joined(bob);
          DBusTubeClient third = joined(carol)) {
        left.send("for bob", ":2." + bob.handle());
        left.send("for all");
        assertThat(right.expect("for bob").destination()).isEqualTo(":2." + bob.handle());
        right.expect("for all");
        third.expect("for all");

        third.send("an answer", ":2." + alice.handle());
        assertThat(left.expect("an answer").sender()).isEqualTo(":2." + carol.handle());
      }
    }
  }

  /** Accepts what has come, connects, and waits until messages arrive. */
  private static DBusTubeClient joined(TestClient who) throws Exception {
    String incoming = who.awaitChannel();
    DBusTubeClient client = DBusTubeClient.connect(accept(who, incoming, CREDENTIALS));
    who.await(Names.CM_PATH, "Admitted", body -> body.get(0).equals(Value.o(incoming)));
    return client;
  }

  @Test
  void oneClientThatEndsInARoomTakesNobodyAlong() throws Exception {
    start(Profile.FULL);
    try (TestClient carol = TestClient.connect(daemon.socket(), "carol")) {
      String offered = create(Handles.ROOM, "room");
      try (DBusTubeClient left = DBusTubeClient.connect(offer(offered, CREDENTIALS));
          DBusTubeClient right = joined(bob);
          DBusTubeClient third = joined(carol)) {
        right.end();
        right.expectEnd();
        left.send("who is still here?");
        third.expect("who is still here?");
      }
    }
  }

  @Test
  void isTheOnlyOneForItsServiceUntilItIsClosed() throws Exception {
    start(Profile.GABBLE);
    String first = create(Handles.CONTACT, "bob");
    Value again = Value.dict(TestClient.tube(IFACE, Handles.CONTACT, "bob", "org.example.Service"));
    assertThat(alice.errorOf(alice.path(), Names.REQUESTS, "CreateChannel", again))
        .isEqualTo("NotAvailable");
    alice.call(first, Names.CHANNEL, "Close");
    assertThat(create(Handles.CONTACT, "bob")).isNotEqualTo(first);
  }

  @Test
  void isOfferedAndAcceptedOnce() throws Exception {
    start(Profile.GABBLE);
    String offered = create(Handles.CONTACT, "bob");
    Value access = Value.u(CREDENTIALS);
    offer(offered, CREDENTIALS);
    String incoming = bob.awaitChannel();
    assertThat(alice.errorOf(offered, IFACE, "Offer", Value.dict(Map.of()), access))
        .isEqualTo("NotAvailable");
    assertThat(alice.errorOf(offered, IFACE, "Accept", access)).isEqualTo("NotAvailable");
    accept(bob, incoming, CREDENTIALS);
    assertThat(bob.errorOf(incoming, IFACE, "Accept", access)).isEqualTo("NotAvailable");
    assertThat(bob.errorOf(incoming, IFACE, "Offer", Value.dict(Map.of()), access))
        .isEqualTo("NotAvailable");
  }
}
