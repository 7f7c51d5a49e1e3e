package org.tpforward.server.bus;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.tpforward.dbus.Body;
import org.tpforward.dbus.Header;
import org.tpforward.dbus.MessageReader;
import org.tpforward.dbus.MessageType;
import org.tpforward.dbus.MessageWriter;
import org.tpforward.dbus.SaslServer;
import org.tpforward.dbus.Value;
import org.tpforward.socket.Connection;
import org.tpforward.socket.Endpoint;
import org.tpforward.socket.Listener;
import org.tpforward.telepathy.Names;

/**
 * A bus that lets through what a real one does not: replies nobody asked for, of others, twice. The
 * server's own connection is to a real bus, the client's to this one.
 */
class LyingBusTest {
  private static final String CM = "org.freedesktop.Telepathy.ConnectionManager.x";
  private static final Endpoint SERVICE = new Endpoint.UnixPath("/a/service");

  @TempDir Path directory;
  private TestBus bus;
  private Peer cm;
  private Peer impostor;
  private HandedOut handedOut;
  private Listener clients;
  private Listener lies;
  private Connection lying;
  private MessageWriter toClient;
  private MessageReader fromClient;
  private Peer client;
  private CompletableFuture<String> end;

  @BeforeEach
  void start() throws Exception {
    bus = new TestBus(directory);
    cm = Peer.connect(bus.endpoint());
    cm.own(CM);
    impostor = Peer.connect(bus.endpoint());
    impostor.own("org.freedesktop.Telepathy.Impostor");
    handedOut = HandedOut.on(bus.endpoint());
    clients = Listener.open(new Endpoint.UnixPath(directory.resolve("door").toString()));
    lies = Listener.open(new Endpoint.UnixPath(directory.resolve("lies").toString()));
    end =
        CompletableFuture.supplyAsync(() -> {
          try {
            return PolicedBus.connect(lies.endpoint(), BusPolicy.TELEPATHY, handedOut)
                .serve(clients.accept());
          } catch (IOException e) {
            return "no bus";
          }
        });
    lying = lies.accept();
    CompletableFuture<Peer> connecting = new CompletableFuture<>();
    Thread.ofPlatform()
        .daemon()
        .start(() -> {
          try {
            connecting.complete(Peer.connect(clients.endpoint()));
          } catch (Exception e) {
            connecting.completeExceptionally(e);
          }
        });
    SaslServer.Result sasl =
        SaslServer.vouched(lying, "0123456789abcdef0123456789abcdef", Tests.PATIENCE);
    fromClient = new MessageReader(lying, sasl.leftOver());
    toClient = new MessageWriter(lying);
    Header hello = next();
    send(Header.returnTo(hello), Peer.BUS, Value.of(":1.4000"));
    client = Tests.get(connecting);
  }

  @AfterEach
  void stop() {
    client.close();
    lying.close();
    clients.close();
    lies.close();
    handedOut.close();
    cm.close();
    impostor.close();
    bus.close();
  }

  private Header next() throws IOException {
    Header header = Objects.requireNonNull(fromClient.next());
    fromClient.skipBody();
    return header;
  }

  private void send(Header.Builder message, String sender, Value... arguments) throws IOException {
    List<Value> values = List.of(arguments);
    byte[] body = Body.encode(ByteOrder.LITTLE_ENDIAN, values);
    toClient.write(
        message
            .order(ByteOrder.LITTLE_ENDIAN)
            .serial(9)
            .sender(sender)
            .signature(Body.signature(values))
            .build(body.length),
        body);
    toClient.flush();
  }

  /** Answers a call of the client to the bus, so that what came before has been dealt with. */
  private List<Peer.Received> all() throws Exception {
    CompletableFuture<Peer.Received> reply =
        client.start(Peer.callTo(Peer.BUS, "/", Peer.BUS, "GetId"));
    Header call = next();
    send(Header.returnTo(call), Peer.BUS, Value.of("id"));
    assertThat(Tests.get(reply).text()).isEqualTo("id");
    return client.drained();
  }

  private CompletableFuture<Peer.Received> accept(String destination) throws Exception {
    return client.start(
        Peer.callTo(destination, ChildCm.CHANNEL, Names.FILE_TRANSFER, "AcceptFile"),
        Value.u(0),
        Value.u(0),
        new Value.Variant(Value.u(0)),
        Value.t(0));
  }

  private static Value address() {
    return new Value.Variant(Value.of("/a/service".getBytes(StandardCharsets.UTF_8)));
  }

  @Test
  void aReplyNobodyAskedForDoesNotPass() throws Exception {
    send(Header.builder(MessageType.METHOD_RETURN).replySerial(77), cm.name(), address());
    send(
        Header.builder(MessageType.ERROR).replySerial(78).errorName("com.example.Error"), Peer.BUS);
    assertThat(all()).isEmpty();
  }

  @Test
  void onlyWhoWasCalledAnswersAndOnce() throws Exception {
    for (String destination : List.of(CM, cm.name())) {
      CompletableFuture<Peer.Received> reply = accept(destination);
      Header call = next();
      send(Header.returnTo(call), impostor.name(), Value.of("impostor"));
      send(Header.returnTo(call), Peer.BUS, Value.of("the bus"));
      send(Header.returnTo(call), ":1.5000", Value.of("nobody"));
      send(Header.returnTo(call), cm.name(), Value.of("the CM"));
      send(Header.returnTo(call), cm.name(), Value.of("again"));
      assertThat(Tests.get(reply).text()).isEqualTo("the CM");
      assertThat(all()).isEmpty();
    }
  }

  @Test
  void theBusMaySayThatACallFailed() throws Exception {
    CompletableFuture<Peer.Received> reply = accept(CM);
    send(
        Header.errorTo(next(), "org.freedesktop.DBus.Error.NoReply"),
        Peer.BUS,
        Value.of("it has gone"));
    assertThat(Tests.get(reply).errorName()).endsWith("NoReply");
    assertThat(handedOut.grants().claimed()).isZero();
  }

  @Test
  void aReplyFromThisVeryProcessHandsNothingOut() throws Exception {
    // The CM here is a connection of this test's own process, as any of the server's would be.
    CompletableFuture<Peer.Received> reply = accept(CM);
    send(Header.returnTo(next()), cm.name(), address());
    assertThat(Tests.get(reply).header().signature()).isEqualTo("v");
    assertThat(handedOut.find(SERVICE)).isEmpty();
  }

  @Test
  void aMessageOfNobodyDoesNotPass() throws Exception {
    toClient.write(
        Header.builder(MessageType.SIGNAL)
            .path("/")
            .interfaceName("com.example.I")
            .member("NoSender")
            .serial(3)
            .build(0),
        new byte[0]);
    toClient.flush();
    assertThat(all()).isEmpty();
  }

  @Test
  void aListThatIsTooLongIsAnError() throws Exception {
    CompletableFuture<Peer.Received> reply =
        client.start(Peer.callTo(Peer.BUS, "/", Peer.BUS, "ListNames"));
    Value[] names = new Value[Message.MAX_READ / 16];
    Arrays.fill(names, Value.of("com.example.Name"));
    send(Header.returnTo(next()), Peer.BUS, new Value.Array("s", List.of(names)));
    assertThat(Tests.get(reply).errorName()).endsWith("LimitsExceeded");
  }

  @Test
  void aHelloThatNamesNobodyEndsTheConnection() throws Exception {
    var _ = client.start(Peer.callTo(Peer.BUS, "/", Peer.BUS, "Hello"));
    send(Header.returnTo(next()), Peer.BUS, Value.u(7));
    client.awaitEnd();
    assertThat(Tests.get(end)).contains("malformed D-Bus from the bus");
  }

  @Test
  void malformedBytesEndTheConnection() throws Exception {
    lying.write(ByteBuffer.wrap(new byte[64]));
    client.awaitEnd();
    assertThat(Tests.get(end)).contains("malformed D-Bus from the bus");
  }
}
