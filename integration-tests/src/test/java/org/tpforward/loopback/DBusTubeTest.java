package org.tpforward.loopback;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.UnixDomainSocketAddress;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.SocketChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.tpforward.dbus.Body;
import org.tpforward.dbus.BusAddress;
import org.tpforward.dbus.Header;
import org.tpforward.dbus.MessageReader;
import org.tpforward.dbus.MessageType;
import org.tpforward.dbus.MessageWriter;
import org.tpforward.dbus.SaslClient;
import org.tpforward.dbus.Value;
import org.tpforward.telepathy.AccessControl;

/** D-Bus tubes of the loopback CM: a pipe between contacts, a bus in a room. */
@Timeout(
    120) // A message that is lost is waited for in vain: reads here have no bound of their own.
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

  private static SocketChannel open(String address) throws IOException {
    BusAddress parsed = BusAddress.parse(address).get(0);
    return parsed.transport().equals("unix")
        ? SocketChannel.open(UnixDomainSocketAddress.of(String.valueOf(parsed.key("path"))))
        : SocketChannel.open(
            new InetSocketAddress(
                InetAddress.ofLiteral(String.valueOf(parsed.key("host"))),
                Integer.parseInt(String.valueOf(parsed.key("port")))));
  }

  private static SocketChannel authenticated(String address) throws IOException {
    SocketChannel channel = open(address);
    SaslClient.externalThenAnonymous(channel, Duration.ofSeconds(30));
    return channel;
  }

  private static void send(SocketChannel channel, String text) throws IOException {
    send(channel, text, null);
  }

  private static void send(SocketChannel channel, String text, @Nullable String to)
      throws IOException {
    byte[] body = Body.encode(ByteOrder.nativeOrder(), List.of(Value.of(text)));
    Header header =
        Header.builder(MessageType.SIGNAL)
            .serial(7)
            .path("/a")
            .interfaceName("a.b")
            .member("Said")
            .destination(to)
            .order(ByteOrder.nativeOrder())
            .signature("s")
            .build(body);
    MessageWriter writer = new MessageWriter(channel);
    writer.write(header, body);
    writer.flush();
  }

  private static Header expect(SocketChannel channel, String text) throws Exception {
    MessageReader reader = new MessageReader(channel);
    Header header = reader.next();
    if (header == null) {
      throw new AssertionError("the tube has ended");
    }
    assertThat(Body.decode("s", header.order(), reader.readBody(1000)))
        .containsExactly(Value.of(text));
    assertThat(header.member()).isEqualTo("Said");
    assertThat(header.serial()).isEqualTo(7);
    return header;
  }

  @Test
  void passesMessagesOnBetweenContactsAndKeepsThoseThatComeEarly() throws Exception {
    start(Profile.GABBLE);
    String offered = create(1, "bob");
    SocketChannel left = authenticated(offer(offered, LOCALHOST));
    try (left) {
      send(left, "before anybody listens");
      String incoming = bob.awaitChannel();
      try (SocketChannel right = authenticated(accept(bob, incoming, LOCALHOST))) {
        expect(right, "before anybody listens");
        send(right, "and back");
        assertThat(expect(left, "and back").sender()).isNull();
        alice.await(offered, "TubeChannelStateChanged", b -> b.get(0).equals(Value.u(2)));
        left.shutdownOutput();
        assertThat(right.read(ByteBuffer.allocate(1))).isEqualTo(-1);
      }
    }
  }

  @Test
  void takesOneConnection() throws Exception {
    start(Profile.GABBLE);
    String address = offer(create(1, "bob"), CREDENTIALS);
    try (SocketChannel _ = authenticated(address)) {
      assertThatThrownBy(() -> authenticated(address).close()).isInstanceOf(IOException.class);
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
    try (SocketChannel channel = open(address)) {
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
    authenticated(address).close();
  }

  @Test
  void isABusWithNamesInARoom() throws Exception {
    start(Profile.FULL);
    String offered = create(2, "room");
    try (SocketChannel left = authenticated(offer(offered, CREDENTIALS))) {
      String incoming = bob.awaitChannel();
      try (SocketChannel right = authenticated(accept(bob, incoming, CREDENTIALS))) {
        long handleOfAlice = alice.handle();
        long handleOfBob = bob.handle();
        alice.await(offered, "DBusNamesChanged", b -> named(handleOfAlice, b.get(0)));
        alice.await(offered, "DBusNamesChanged", b -> named(handleOfBob, b.get(0)));
        assertThat(named(handleOfAlice, bob.property(incoming, IFACE, "DBusNames"))).isTrue();
        bob.await(Names.CM_PATH, "Admitted", b -> b.get(0).equals(Value.o(incoming)));

        send(left, "to all");
        assertThat(expect(right, "to all").sender()).isEqualTo(":2." + alice.handle());
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
          SocketChannel _ = authenticated(server.address())) {
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
      try (SocketChannel left = authenticated(offer(offered, CREDENTIALS));
          SocketChannel right = joined(bob);
          SocketChannel third = joined(carol)) {
        send(left, "for bob", ":2." + bob.handle());
        send(left, "for all");
        assertThat(expect(right, "for bob").destination()).isEqualTo(":2." + bob.handle());
        expect(right, "for all");
        expect(third, "for all");

        send(third, "an answer", ":2." + alice.handle());
        assertThat(expect(left, "an answer").sender()).isEqualTo(":2." + carol.handle());
      }
    }
  }

  /** Accepts what has come, connects, and waits until messages arrive. */
  private static SocketChannel joined(TestClient who) throws Exception {
    String incoming = who.awaitChannel();
    SocketChannel channel = authenticated(accept(who, incoming, CREDENTIALS));
    who.await(Names.CM_PATH, "Admitted", body -> body.get(0).equals(Value.o(incoming)));
    return channel;
  }

  @Test
  void oneClientThatEndsInARoomTakesNobodyAlong() throws Exception {
    start(Profile.FULL);
    try (TestClient carol = TestClient.connect(daemon.socket(), "carol")) {
      String offered = create(Handles.ROOM, "room");
      try (SocketChannel left = authenticated(offer(offered, CREDENTIALS));
          SocketChannel right = joined(bob);
          SocketChannel third = joined(carol)) {
        right.shutdownOutput();
        assertThat(right.read(ByteBuffer.allocate(1))).isEqualTo(-1);
        send(left, "who is still here?");
        expect(third, "who is still here?");
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
