package org.tpforward.dbus;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import java.io.IOException;
import java.net.SocketTimeoutException;
import java.net.StandardProtocolFamily;
import java.net.UnixDomainSocketAddress;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.ServerSocketChannel;
import java.nio.channels.SocketChannel;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.ArrayBlockingQueue;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/**
 * Against a real dbus-daemon with real programs as peers; against a bus of our own to misbehave.
 */
@Timeout(60)
class BusConnectionTest {
  private static final Duration LONG = Duration.ofSeconds(30);
  private static final Duration SHORT = Duration.ofMillis(50);
  private static final String BUS = "org.freedesktop.DBus";

  @TempDir Path directory;
  private TestBus bus;
  private BusConnection connection;

  @BeforeEach
  void start() throws Exception {
    bus = new TestBus(directory);
    connection = BusConnection.open(bus.connect(), LONG);
  }

  @AfterEach
  void stop() throws Exception {
    connection.close();
    bus.close();
  }

  private List<Value> callBus(String member, Value... args) throws Exception {
    return connection.call(BUS, "/org/freedesktop/DBus", BUS, member, LONG, args);
  }

  @Test
  void theBusKnowsUsByOurUniqueName() throws Exception {
    assertThat(connection.uniqueName()).startsWith(":1.");
    Value.Array names = (Value.Array) callBus("ListNames").getFirst();
    assertThat(names.elements()).contains(Value.of(connection.uniqueName()));
    assertThat(connection.isOpen()).isTrue();
  }

  @Test
  void anErrorReplyIsAnExceptionAndTheConnectionGoesOn() throws Exception {
    DBusErrorException e =
        catchThrowableOfType(
            DBusErrorException.class, () -> callBus("GetNameOwner", Value.of("no.such.Name")));
    assertThat(e.errorName()).isEqualTo("org.freedesktop.DBus.Error.NameHasNoOwner");
    assertThat(e).hasMessageContaining("no.such.Name");
    assertThat(callBus("GetId")).hasSize(1);
  }

  @Test
  void manyThreadsCallAtOnce() throws Exception {
    List<CompletableFuture<List<Value>>> calls =
        java.util.stream.IntStream.range(0, 200)
            .mapToObj(i ->
                CompletableFuture.supplyAsync(
                    () -> {
                      try {
                        return callBus("NameHasOwner", Value.of(i % 2 == 0 ? BUS : "no.one"));
                      } catch (Exception e) {
                        throw new IllegalStateException(e);
                      }
                    },
                    task -> Thread.ofVirtual().start(task)))
            .toList();
    for (int i = 0; i < calls.size(); i++) {
      assertThat(calls.get(i).get()).containsExactly(Value.of(i % 2 == 0));
    }
  }

  @Test
  void signalsOfOtherProgramsComeInOrder() throws Exception {
    BlockingQueue<Signal> signals = new LinkedBlockingQueue<>();
    connection.onSignal(signal -> {
      throw new IllegalStateException("a handler that fails disturbs no other");
    });
    connection.onSignal(signal -> {
      if (signal.is("org.example.I", "Happened")) {
        signals.add(signal);
      }
    });
    connection.addMatch("type='signal',interface='org.example.I'");
    for (int i = 0; i < 3; i++) {
      bus.run(
          "gdbus",
          "emit",
          "--session",
          "--object-path",
          "/a",
          "--signal",
          "org.example.I.Happened",
          "uint32 " + i,
          "{'k': <('::1', uint16 80)>}");
    }
    bus.run("dbus-send", "--session", "--type=signal", "/b", "org.example.I.Happened", "uint32:3");
    for (int i = 0; i < 3; i++) {
      Signal signal = signals.take();
      assertThat(signal.header().path()).isEqualTo("/a");
      assertThat(signal.body().getFirst()).isEqualTo(Value.u(i));
      assertThat(((Value.Dict) signal.body().get(1)).get("k"))
          .isEqualTo(Value.v(Value.struct(Value.of("::1"), Value.q(80))));
    }
    assertThat(signals.take().body()).containsExactly(Value.u(3));
    connection.removeMatch("type='signal',interface='org.example.I'");
  }

  @Test
  void aHandlerMayNotWaitForAReply() throws Exception {
    CompletableFuture<Throwable> thrown = new CompletableFuture<>();
    connection.onSignal(signal -> {
      try {
        callBus("GetId");
      } catch (Throwable e) {
        thrown.complete(e);
      }
    });
    callBus("RequestName", Value.of("org.example.Me"), Value.u(0));
    assertThat(thrown.get()).isInstanceOf(IllegalStateException.class);
  }

  @Test
  void pingIsAnsweredAndEverythingElseIsRefused() throws Exception {
    TestBus.Ran ping = gdbusCall("org.freedesktop.DBus.Peer.Ping");
    assertThat(ping).isEqualTo(new TestBus.Ran(0, "()\n"));
    assertThat(gdbusCall("org.freedesktop.DBus.Peer.GetMachineId").output())
        .contains("org.freedesktop.DBus.Error.NotSupported");
    assertThat(gdbusCall("org.example.I.M").output())
        .contains("org.freedesktop.DBus.Error.UnknownMethod");
    // A call that wants no reply gets none, and does no harm.
    bus.run("dbus-send", "--session", "--dest=" + connection.uniqueName(), "/a", "org.example.I.M");
    assertThat(callBus("GetId")).hasSize(1);
  }

  private TestBus.Ran gdbusCall(String method) throws Exception {
    return bus.run(
        "gdbus",
        "call",
        "--session",
        "--dest",
        connection.uniqueName(),
        "--object-path",
        "/",
        "--method",
        method);
  }

  @Test
  void aLateReplyIsDropped() throws Exception {
    try (RawPeer peer = new RawPeer(bus)) {
      assertThatThrownBy(() -> connection.call(peer.name, "/", "a.b", "M", SHORT))
          .isInstanceOf(SocketTimeoutException.class)
          .hasMessageContaining("a.b.M within 0.05 s");
      Header call = peer.next();
      peer.reply(call, Value.of("late"));
      CompletableFuture<List<Value>> second = callLater(peer.name);
      peer.reply(peer.next(), Value.of("in time"));
      assertThat(second.get()).containsExactly(Value.of("in time"));
    }
  }

  private CompletableFuture<List<Value>> callLater(String name) {
    return CompletableFuture.supplyAsync(() -> {
      try {
        return connection.call(name, "/", "a.b", "M", LONG);
      } catch (Exception e) {
        throw new IllegalStateException(e);
      }
    });
  }

  @Test
  void aReplyThatIsTooLargeFailsThatCallOnly() throws Exception {
    try (RawPeer peer = new RawPeer(bus)) {
      CompletableFuture<List<Value>> large = callLater(peer.name);
      peer.reply(peer.next(), Value.of(new byte[BusConnection.MAX_BODY + 1]));
      assertThatThrownBy(large::get)
          .hasRootCauseInstanceOf(DBusErrorException.class)
          .hasStackTraceContaining("org.freedesktop.DBus.Error.LimitsExceeded");
      CompletableFuture<List<Value>> larger = callLater(peer.name);
      byte[] most = new byte[BusConnection.MAX_BODY - 4];
      peer.reply(peer.next(), Value.of(most));
      assertThat(larger.get()).containsExactly(Value.of(most));
    }
  }

  @Test
  void whatIsNotWantedIsSkippedAndWhatFollowsIsRead() throws Exception {
    BlockingQueue<Signal> signals = new LinkedBlockingQueue<>();
    BusConnection.Inbound few =
        new BusConnection.Inbound(100, header -> "Wanted".equals(header.member()));
    try (BusConnection sparing = BusConnection.open(bus.connect(), LONG, few);
        RawPeer peer = new RawPeer(bus)) {
      sparing.onSignal(signals::add);
      sparing.addMatch("type='signal',interface='org.example.I'");
      peer.signal("Unwanted", Value.of(new byte[BusConnection.MAX_BODY - 4]));
      peer.signal("Wanted", Value.of("this one"));
      assertThat(signals.take().body()).containsExactly(Value.of("this one"));
      CompletableFuture<List<Value>> large =
          CompletableFuture.supplyAsync(() -> {
            try {
              return sparing.call(peer.name, "/", "a.b", "M", LONG);
            } catch (Exception e) {
              throw new IllegalStateException(e);
            }
          });
      peer.reply(peer.next(), Value.of(new byte[100]));
      assertThatThrownBy(large::get)
          .hasStackTraceContaining("org.freedesktop.DBus.Error.LimitsExceeded");
      assertThat(sparing.isOpen()).isTrue();
    }
  }

  @Test
  void theEndOfTheBusFailsCallsAndTellsHandlers() throws Exception {
    CountDownLatch closed = new CountDownLatch(1);
    connection.onClosed(closed::countDown);
    try (RawPeer peer = new RawPeer(bus)) {
      CompletableFuture<List<Value>> call = callLater(peer.name);
      peer.next();
      bus.kill();
      assertThatThrownBy(call::get).hasRootCauseInstanceOf(IOException.class);
    }
    closed.await();
    assertThat(connection.isOpen()).isFalse();
    assertThatThrownBy(() -> callBus("GetId")).isInstanceOf(IOException.class);
    CountDownLatch again = new CountDownLatch(1);
    connection.onClosed(again::countDown);
    assertThat(again.getCount()).isZero();
  }

  @Test
  void closingEndsBothThreadsAndTheChannel() throws Exception {
    SocketChannel channel = bus.connect();
    BusConnection other = BusConnection.open(channel, LONG);
    CountDownLatch closed = new CountDownLatch(1);
    other.onClosed(closed::countDown);
    other.close();
    other.close();
    assertThat(closed.getCount()).isZero();
    assertThat(channel.isOpen()).isFalse();
    assertThatThrownBy(() -> other.addMatch("type='signal'"))
        .isInstanceOf(IOException.class)
        .hasMessageContaining("was closed");
  }

  @Test
  void aMalformedMessageEndsTheConnection() throws Exception {
    try (FakeBus fake = new FakeBus(directory.resolve("fake"))) {
      CompletableFuture<BusConnection> opening = fake.openLater();
      SocketChannel peer = fake.helloed();
      BusConnection victim = opening.get();
      CountDownLatch closed = new CountDownLatch(1);
      victim.onClosed(closed::countDown);
      peer.write(ByteBuffer.wrap(RawHeader.call(ByteOrder.BIG_ENDIAN).version(9).toArray()));
      closed.await();
      assertThatThrownBy(() -> victim.addMatch("x"))
          .isInstanceOf(IOException.class)
          .hasMessageContaining("protocol version is 9");
    }
  }

  @Test
  void aBusThatDoesNotReadCostsACallerItsTimeoutOnly() throws Exception {
    try (FakeBus fake = new FakeBus(directory.resolve("fake"))) {
      CompletableFuture<BusConnection> opening = fake.openLater();
      fake.helloed();
      try (BusConnection stalled = opening.get()) {
        byte[] large = new byte[8 << 20];
        for (int i = 0; i < 3; i++) {
          assertThatThrownBy(() -> stalled.call("a.b", "/", "a.b", "M", SHORT, Value.of(large)))
              .isInstanceOf(SocketTimeoutException.class);
        }
      }
    }
  }

  @Test
  void aBusThatSaysNothingIsGivenUp() throws Exception {
    try (FakeBus fake = new FakeBus(directory.resolve("fake"))) {
      SocketChannel channel = fake.connect();
      assertThatThrownBy(() -> BusConnection.open(channel, SHORT))
          .isInstanceOf(AuthenticationException.class)
          .hasMessageContaining("no authentication within 0.05 s");
      assertThat(channel.isOpen()).isFalse();
    }
  }

  @Test
  void aBusThatGivesNoUniqueNameIsNotBelieved() throws Exception {
    try (FakeBus fake = new FakeBus(directory.resolve("fake"))) {
      CompletableFuture<BusConnection> opening = fake.openLater();
      fake.helloed(Value.of("org.example.Liar"));
      assertThatThrownBy(opening::get).hasRootCauseInstanceOf(ProtocolException.class);
    }
  }

  /** A client of the real bus that answers when it is told to. */
  private static final class RawPeer implements AutoCloseable {
    private final SocketChannel channel;
    private final MessageReader reader;
    private final MessageWriter writer;
    private long serial = 1;
    final String name;

    RawPeer(TestBus bus) throws Exception {
      channel = bus.connect();
      SaslClient.Result in = SaslClient.external(channel, LONG);
      reader = new MessageReader(channel, in.leftOver());
      writer = new MessageWriter(channel);
      Header hello =
          Header.builder(MessageType.METHOD_CALL)
              .order(ByteOrder.BIG_ENDIAN)
              .serial(serial++)
              .destination(BUS)
              .path("/")
              .interfaceName(BUS)
              .member("Hello")
              .build(0);
      writer.write(hello, new byte[0]);
      writer.flush();
      Header reply = read(MessageType.METHOD_RETURN);
      byte[] body = reader.readBody(1000);
      name = ((Value.Str) Body.decode(reply.signature(), reply.order(), body).getFirst()).value();
    }

    /** The next call. */
    Header next() throws IOException {
      Header call = read(MessageType.METHOD_CALL);
      reader.skipBody();
      return call;
    }

    private Header read(MessageType type) throws IOException {
      while (true) {
        Header header = java.util.Objects.requireNonNull(reader.next());
        if (header.type() == type) {
          return header;
        }
        reader.skipBody();
      }
    }

    void signal(String member, Value value) throws IOException {
      byte[] body = Body.encode(ByteOrder.BIG_ENDIAN, List.of(value));
      Header signal =
          Header.builder(MessageType.SIGNAL)
              .order(ByteOrder.BIG_ENDIAN)
              .serial(serial++)
              .path("/")
              .interfaceName("org.example.I")
              .member(member)
              .signature(value.signature())
              .build(body.length);
      writer.write(signal, body);
      writer.flush();
    }

    void reply(Header call, Value value) throws IOException {
      byte[] body = Body.encode(call.order(), List.of(value));
      Header header =
          Header.returnTo(call).serial(serial++).signature(value.signature()).build(body.length);
      writer.write(header, body);
      writer.flush();
    }

    @Override
    public void close() throws IOException {
      channel.close();
    }
  }

  /** A bus of our own that does as much as a test says. */
  private static final class FakeBus implements AutoCloseable {
    private final UnixDomainSocketAddress address;
    private final ServerSocketChannel server;
    private final BlockingQueue<SocketChannel> accepted = new ArrayBlockingQueue<>(4);

    FakeBus(Path socket) throws IOException {
      address = UnixDomainSocketAddress.of(socket);
      server = ServerSocketChannel.open(StandardProtocolFamily.UNIX).bind(address);
    }

    SocketChannel connect() throws IOException {
      return SocketChannel.open(address);
    }

    CompletableFuture<BusConnection> openLater() {
      return CompletableFuture.supplyAsync(() -> {
        try {
          return BusConnection.open(connect(), LONG);
        } catch (IOException e) {
          throw new IllegalStateException(e);
        }
      });
    }

    SocketChannel helloed() throws Exception {
      return helloed(Value.of(":1.5"));
    }

    /** Lets a client in and answers its Hello. */
    SocketChannel helloed(Value name) throws Exception {
      SocketChannel channel = server.accept();
      accepted.offer(channel, 1, TimeUnit.SECONDS);
      SaslServer.Result in =
          SaslServer.authenticate(channel, 5, uid -> true, "0123456789abcdef".repeat(2), LONG);
      Header hello =
          java.util.Objects.requireNonNull(new MessageReader(channel, in.leftOver()).next());
      byte[] body = Body.encode(hello.order(), List.of(name));
      MessageWriter writer = new MessageWriter(channel);
      writer.write(
          Header.returnTo(hello).serial(1).signature(name.signature()).build(body.length), body);
      writer.flush();
      return channel;
    }

    @Override
    public void close() throws IOException {
      server.close();
      for (SocketChannel channel : accepted) {
        channel.close();
      }
    }
  }
}
