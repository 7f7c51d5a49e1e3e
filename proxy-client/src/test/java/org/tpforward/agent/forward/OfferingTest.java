package org.tpforward.agent.forward;

import static java.util.Objects.requireNonNull;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.Closeable;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.SocketTimeoutException;
import java.net.StandardProtocolFamily;
import java.net.UnixDomainSocketAddress;
import java.nio.channels.ServerSocketChannel;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;
import org.tpforward.dbus.Value;
import org.tpforward.socket.AllowedUids;
import org.tpforward.socket.Connection;
import org.tpforward.socket.CredentialByte;
import org.tpforward.socket.Endpoint;
import org.tpforward.socket.Listener;
import org.tpforward.socket.TelepathySockets;
import org.tpforward.telepathy.AccessControl;
import org.tpforward.telepathy.AddressType;
import org.tpforward.telepathy.Addresses;
import org.tpforward.telepathy.SocketKind;
import org.tpforward.telepathy.TelepathyException;

/** A client's own service, to which a CM connects through the server. */
class OfferingTest {
  private static final SocketKind UNIX = ForwardFixture.UNIX;
  private static final SocketKind CREDENTIALS =
      new SocketKind(AddressType.UNIX, AccessControl.CREDENTIALS);
  private static final SocketKind PORT4 = new SocketKind(AddressType.IPV4, AccessControl.PORT);

  @TempDir Path directory;
  private ForwardFixture far;
  private final List<Closeable> opened = new ArrayList<>();

  @BeforeEach
  void start() throws Exception {
    far = new ForwardFixture(directory, ForwardFixture.PATIENT);
  }

  @AfterEach
  void stop() throws Exception {
    for (Closeable open : opened) {
      open.close();
    }
    far.close();
  }

  /** A service of a client, and what it knows of who connects. */
  private record Service(Listener listener, boolean wantsByte) {
    /** A connection, and what the service takes it by; under Localhost anything will do. */
    record Served(Connection connection, Value key) {}

    Endpoint at() {
      return listener.endpoint();
    }

    Served accept() throws IOException {
      Connection connection = listener.accept();
      if (wantsByte) {
        TelepathySockets.Accepted accepted =
            TelepathySockets.acceptWithByte(connection, AllowedUids.own(), Sockets.PATIENCE);
        return new Served(accepted.connection(), Value.y(accepted.value()));
      }
      Endpoint.Ip from = connection.remote();
      return new Served(connection, from == null ? Value.u(0) : Addresses.toValue(from));
    }
  }

  private Service service(SocketKind kind) throws IOException {
    boolean wantsByte = kind.access() == AccessControl.CREDENTIALS;
    Endpoint at = far.place(kind.type());
    Listener listener = wantsByte ? TelepathySockets.listenForBytes(at) : Listener.open(at);
    opened.add(listener);
    return new Service(listener, wantsByte);
  }

  private Offering offer(SocketKind local, Endpoint service, SocketKind remote) throws Exception {
    return far.forwards.offer(
        new Offering.Spec(ForwardFixture.CHANNEL, Forward.NO_ID, local, service, remote),
        List.of());
  }

  /** The CM connects, and says so. */
  private Connection cmConnects(Offering offering, long id) throws Exception {
    Endpoint where = offering.remote();
    AccessControl access = offering.spec().remote().access();
    Connection cm =
        access == AccessControl.CREDENTIALS
            ? TelepathySockets.connectWithByte(where, (int) id)
            : TelepathySockets.connect(where);
    far.forwards.happened(
        new ChannelEvent.NewConnection(ForwardFixture.CHANNEL, cmParameter(offering, cm, id), id));
    return cm;
  }

  private static Value cmParameter(Offering offering, Connection cm, long id) throws IOException {
    return new Value.Variant(
        switch (offering.spec().remote().access()) {
          case PORT -> Addresses.toValue(requireNonNull(cm.local()));
          case CREDENTIALS -> Value.y((int) id);
          default -> Value.u(0);
        });
  }

  static Stream<Arguments> pairs() {
    List<SocketKind> remotes =
        List.of(
            UNIX,
            CREDENTIALS,
            PORT4,
            new SocketKind(AddressType.IPV6, AccessControl.PORT),
            new SocketKind(AddressType.IPV4, AccessControl.LOCALHOST),
            new SocketKind(AddressType.IPV6, AccessControl.LOCALHOST));
    return SocketKind.ALL.stream()
        .flatMap(local -> remotes.stream().map(remote -> Arguments.of(local, remote)));
  }

  @ParameterizedTest
  @MethodSource("pairs")
  void theServiceIsReachedAndItsClientIsToldHow(SocketKind local, SocketKind remote)
      throws Exception {
    Service service = service(local);
    Offering offering = offer(local, service.at(), remote);
    assertThat(Addresses.typeOf(offering.remote())).isEqualTo(remote.type());
    CompletableFuture<Service.Served> accepted = Sockets.start(service::accept);
    try (Connection cm = cmConnects(offering, 42)) {
      Service.Served served = accepted.get(30, TimeUnit.SECONDS);
      Value theirs = cmParameter(offering, cm, 42);
      Value said = offering.parameter(theirs, 42);
      assertThat(said)
          .isEqualTo(
              switch (local.access()) {
                case PORT, CREDENTIALS -> new Value.Variant(served.key());
                default -> theirs;
              });
      if (local.access() == AccessControl.CREDENTIALS && remote.equals(CREDENTIALS)) {
        assertThat(said).as("the very byte").isEqualTo(new Value.Variant(Value.y(42)));
      }
      Sockets.write(cm, "question");
      cm.shutdownOutput();
      Connection there = served.connection();
      assertThat(Sockets.read(there, 8)).isEqualTo("question");
      assertThat(Sockets.countToEnd(there)).isZero();
      Sockets.write(there, "answer");
      there.close();
      assertThat(Sockets.read(cm, 6)).isEqualTo("answer");
      assertThat(Sockets.countToEnd(cm)).isZero();
    }
    Sockets.await(() -> far.forwards.openStreams() == 0);
    assertThat(far.forwards.openedStreams()).isEqualTo(1);
  }

  @Test
  void aStrangerOnTheServerNeverReachesTheService() throws Exception {
    far.close();
    far =
        new ForwardFixture(
            directory,
            new Forwards.Settings(
                Sockets.PATIENCE,
                Sockets.PATIENCE,
                Sockets.PATIENCE,
                Sockets.PATIENCE,
                Sockets.PATIENCE,
                ForwardFixture.SHORT,
                Sockets.PATIENCE,
                64));
    Service service = service(UNIX);
    Offering offering = offer(UNIX, service.at(), PORT4);
    try (Connection stranger = Connection.connect(offering.remote())) {
      Sockets.write(stranger, "let me in");
      Sockets.awaitEnd(stranger);
    }
    Sockets.await(() -> far.forwards.openStreams() == 0);
    // The next to come there is the CM's, and so nobody else was waiting.
    CompletableFuture<Service.Served> accepted = Sockets.start(service::accept);
    try (Connection cm = cmConnects(offering, 1)) {
      Sockets.write(cm, "vouched for");
      assertThat(Sockets.read(accepted.get(30, TimeUnit.SECONDS).connection(), 11))
          .isEqualTo("vouched for");
    }
  }

  @Test
  void aConnectionIsHeldUntilTheCmNamesIt() throws Exception {
    Service service = service(UNIX);
    Offering offering = offer(UNIX, service.at(), PORT4);
    CompletableFuture<Service.Served> accepted = Sockets.start(service::accept);
    try (Connection other = Connection.connect(offering.remote());
        Connection cm = Connection.connect(offering.remote())) {
      Sockets.await(() -> far.forwards.openStreams() == 2);
      assertThat(accepted).isNotDone();
      Value from = new Value.Variant(Addresses.toValue(requireNonNull(cm.local())));
      far.forwards.happened(new ChannelEvent.NewConnection(ForwardFixture.CHANNEL, from, 9));
      Sockets.write(cm, "me");
      assertThat(Sockets.read(accepted.get(30, TimeUnit.SECONDS).connection(), 2)).isEqualTo("me");
      assertThat(offering.openStreams()).as("the other one waits").isEqualTo(2);
      assertThat(other.isOpen()).isTrue();
    }
  }

  @Test
  void connectionsOfOnePortNumberAreNotMixedUp() throws Exception {
    Service service = service(new SocketKind(AddressType.IPV4, AccessControl.PORT));
    Offering offering =
        offer(new SocketKind(AddressType.IPV4, AccessControl.PORT), service.at(), UNIX);
    for (int id = 0; id < 20; id++) {
      CompletableFuture<Service.Served> accepted = Sockets.start(service::accept);
      try (Connection cm = cmConnects(offering, id)) {
        Service.Served served = accepted.get(30, TimeUnit.SECONDS);
        Value said = offering.parameter(new Value.Variant(Value.u(0)), id);
        assertThat(said).isEqualTo(new Value.Variant(served.key()));
        Sockets.write(cm, "number " + (10 + id));
        assertThat(Sockets.read(served.connection(), 9)).isEqualTo("number " + (10 + id));
        served.connection().close();
      }
    }
  }

  @Test
  void aServiceThatReadsWhateverIsThereGetsTheByteAlone() throws Exception {
    Service service = service(CREDENTIALS);
    Offering offering = offer(CREDENTIALS, service.at(), UNIX);
    CompletableFuture<Connection> accepted = Sockets.start(service.listener()::accept);
    try (Connection cm = cmConnects(offering, 1)) {
      Sockets.write(cm, "question");
      Connection there = accepted.get(30, TimeUnit.SECONDS);
      // Either the question is on its way already, or it waits for the byte.
      Sockets.await(() -> offering.bytesToClient() == 8 || somebodyIsIn("awaitRead"));
      CredentialByte.Arrived arrived = CredentialByte.receiveLate(there, 4096, Sockets.PATIENCE);
      assertThat(arrived.extra()).isZero();
      assertThat(arrived.sender()).isNotNull();
      assertThat(Sockets.read(there, 8)).isEqualTo("question");
    }
  }

  private static boolean somebodyIsIn(String method) {
    return Thread.getAllStackTraces().values().stream()
        .flatMap(Stream::of)
        .anyMatch(frame -> frame.getMethodName().equals(method));
  }

  @Test
  void aServiceThatSpeaksBeforeItReadsTheByteIsHeard() throws Exception {
    Service service = service(CREDENTIALS);
    Offering offering = offer(CREDENTIALS, service.at(), UNIX);
    CompletableFuture<Connection> accepted = Sockets.start(service.listener()::accept);
    try (Connection cm = cmConnects(offering, 1)) {
      Sockets.write(cm, "question");
      Connection there = accepted.get(30, TimeUnit.SECONDS);
      Sockets.write(there, "welcome");
      assertThat(Sockets.read(cm, 7)).isEqualTo("welcome");
    }
  }

  @Test
  void allClientsAreToldTheSameWheneverTheyAsk() throws Exception {
    SocketKind local = new SocketKind(AddressType.UNIX, AccessControl.CREDENTIALS);
    Service service = service(local);
    Offering offering = offer(local, service.at(), UNIX);
    Value theirs = new Value.Variant(Value.u(0));
    CompletableFuture<Value> early = Sockets.start(() -> offering.parameter(theirs, 7));
    CompletableFuture<Service.Served> accepted = Sockets.start(service::accept);
    try (Connection cm = cmConnects(offering, 7)) {
      Value expected = new Value.Variant(accepted.get(30, TimeUnit.SECONDS).key());
      assertThat(early.get(30, TimeUnit.SECONDS)).isEqualTo(expected);
      assertThat(offering.parameter(theirs, 7)).isEqualTo(expected);
      assertThat(offering.parameter(theirs, 7)).isEqualTo(expected);
      assertThat(cm.isOpen()).isTrue();
    }
  }

  @Test
  void aServiceThatIsNotThereEndsTheConnectionAndHoldsNoSignalBack() throws Exception {
    far.close();
    far =
        new ForwardFixture(
            directory,
            new Forwards.Settings(
                Sockets.PATIENCE,
                Sockets.PATIENCE,
                Sockets.PATIENCE,
                Sockets.PATIENCE,
                Sockets.PATIENCE,
                Duration.ofHours(1), // For a signal: longer than this test waits.
                Sockets.PATIENCE,
                64));
    Offering offering =
        offer(
            new SocketKind(AddressType.IPV4, AccessControl.PORT),
            far.freePort(AddressType.IPV4),
            UNIX);
    Value theirs = new Value.Variant(Value.u(0));
    try (Connection cm = cmConnects(offering, 1)) {
      assertThat(Sockets.countToEnd(cm)).isZero();
      CompletableFuture<Value> said = Sockets.start(() -> offering.parameter(theirs, 1));
      assertThat(said.get(30, TimeUnit.SECONDS)).isEqualTo(theirs);
    }
    Sockets.await(() -> far.forwards.openStreams() == 0);
  }

  @ParameterizedTest
  @MethodSource("services")
  void aServiceThatTakesNoConnectionHoldsItNoLongerThanTheBound(SocketKind local) throws Exception {
    far.close();
    far =
        new ForwardFixture(
            directory,
            new Forwards.Settings(
                Sockets.PATIENCE,
                Sockets.PATIENCE,
                Sockets.PATIENCE,
                Sockets.PATIENCE,
                Sockets.PATIENCE,
                Sockets.PATIENCE,
                ForwardFixture.SHORT,
                64));
    List<Connection> queued = new ArrayList<>();
    try (ServerSocketChannel busy = withOnePlace(local.type())) {
      Endpoint at = Sockets.endpoint(busy);
      for (boolean room = true; room; ) {
        try {
          queued.add(Connection.connect(at, Duration.ofMillis(100)));
        } catch (SocketTimeoutException e) {
          room = false;
        }
      }
      Offering offering = offer(local, at, UNIX);
      try (Connection cm = cmConnects(offering, 1)) {
        Sockets.awaitEnd(cm);
      }
      Sockets.await(() -> far.forwards.openStreams() == 0);
    } finally {
      queued.forEach(Connection::close);
    }
  }

  @Test
  void aCmThatSendsNoByteIsWaitedForNoLongerThanTheBound() throws Exception {
    far.close();
    far =
        new ForwardFixture(
            directory,
            new Forwards.Settings(
                ForwardFixture.SHORT,
                Sockets.PATIENCE,
                Sockets.PATIENCE,
                Sockets.PATIENCE,
                Sockets.PATIENCE,
                Sockets.PATIENCE,
                Sockets.PATIENCE,
                64));
    Service service = service(CREDENTIALS);
    Offering offering = offer(CREDENTIALS, service.at(), CREDENTIALS);
    try (Connection silent = Connection.connect(offering.remote())) {
      Sockets.awaitEnd(silent);
    }
    Sockets.await(() -> far.forwards.openStreams() == 0);
    assertThat(far.forwards.openedStreams()).isZero();
  }

  static Stream<SocketKind> services() {
    return Stream.of(UNIX, CREDENTIALS, PORT4);
  }

  private ServerSocketChannel withOnePlace(AddressType type) throws IOException {
    ServerSocketChannel busy =
        type == AddressType.UNIX
            ? ServerSocketChannel.open(StandardProtocolFamily.UNIX)
            : ServerSocketChannel.open();
    busy.bind(
        type == AddressType.UNIX
            ? UnixDomainSocketAddress.of(directory.resolve("busy"))
            : new InetSocketAddress(InetAddress.ofLiteral("127.0.0.1"), 0),
        1);
    return busy;
  }

  @Test
  void theServersListenerGoesWithTheChannel() throws Exception {
    Service service = service(UNIX);
    for (ChannelEvent end :
        List.of(
            new ChannelEvent.Closed(ForwardFixture.CHANNEL),
            new ChannelEvent.OwnerGone(ForwardFixture.CHANNEL.owner()))) {
      Offering offering = offer(UNIX, service.at(), UNIX);
      CompletableFuture<Service.Served> accepted = Sockets.start(service::accept);
      try (Connection cm = cmConnects(offering, 1)) {
        Service.Served served = accepted.get(30, TimeUnit.SECONDS);
        far.forwards.happened(end);
        assertThat(far.link.listening()).isEmpty();
        assertThat(far.forwards.offered(ForwardFixture.CHANNEL, Forward.NO_ID))
            .as("what is open drains")
            .contains(offering);
        Sockets.write(cm, "rest");
        cm.shutdownOutput();
        assertThat(Sockets.read(served.connection(), 4)).isEqualTo("rest");
        served.connection().close();
      }
      Sockets.await(() -> far.forwards.offerings().isEmpty());
    }
  }

  @Test
  void oneOfManyTubesEndsByItself() throws Exception {
    Service service = service(UNIX);
    Offering first = offer(UNIX, service.at(), UNIX);
    first.id(1);
    Offering second = offer(UNIX, service.at(), UNIX);
    second.id(2);
    far.forwards.happened(new ChannelEvent.TubeClosed(ForwardFixture.CHANNEL, 1));
    assertThat(far.forwards.offerings()).containsExactly(second);
    assertThat(far.link.listening()).hasSize(1);
    assertThat(far.forwards.offered(ForwardFixture.CHANNEL, 2)).contains(second);
  }

  @Test
  void aChannelThatEndsWhileTheServerIsAskedIsNotOfferedInAnotherWay() throws Exception {
    far.link.forbid(AddressType.UNIX);
    far.link.beforeListening(
        () -> far.forwards.happened(new ChannelEvent.Closed(ForwardFixture.CHANNEL)));
    Service service = service(UNIX);
    Offering.Spec spec =
        new Offering.Spec(ForwardFixture.CHANNEL, Forward.NO_ID, UNIX, service.at(), UNIX);
    assertThatThrownBy(() -> far.forwards.offer(spec, List.of(PORT4)))
        .isInstanceOf(TelepathyException.class);
    assertThat(far.forwards.offerings()).isEmpty();
    assertThat(far.link.listening()).isEmpty();
  }

  @Test
  void aServerThatDoesNotListenIsSaidAtOnce() {
    far.close();
    assertThatThrownBy(() -> offer(UNIX, far.place(AddressType.UNIX), UNIX))
        .hasMessageContaining("tpforward");
    assertThat(far.forwards.offerings()).isEmpty();
    assertThat(far.link.listening()).isEmpty();
  }
}
