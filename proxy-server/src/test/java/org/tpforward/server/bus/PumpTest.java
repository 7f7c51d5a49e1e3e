package org.tpforward.server.bus;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.tpforward.dbus.Body;
import org.tpforward.dbus.Header;
import org.tpforward.dbus.MessageType;
import org.tpforward.dbus.Value;
import org.tpforward.socket.Connection;
import org.tpforward.telepathy.Names;

/** One policed connection: replies, bounds, bad input, and its ends. */
class PumpTest {
  private static final String CM = "org.freedesktop.Telepathy.ConnectionManager.x";
  private static final String LIMITS = "org.freedesktop.DBus.Error.LimitsExceeded";

  @TempDir Path directory;
  private TestBus bus;
  private PolicedFixture server;
  private Peer cm;

  @BeforeEach
  void start() throws Exception {
    bus = new TestBus(directory);
    cm = Peer.connect(bus.endpoint());
    cm.own(CM);
    server = new PolicedFixture(directory, bus, BusPolicy.TELEPATHY);
  }

  @AfterEach
  void stop() {
    cm.close();
    server.close();
    bus.close();
  }

  private static Header.Builder call(String destination, String member) {
    return Peer.callTo(destination, "/", "com.example.I", member);
  }

  @Test
  void aClientAnswersEachCallOnceAndNoOther() throws Exception {
    try (Peer client = server.client()) {
      CompletableFuture<Peer.Received> reply = cm.start(call(client.name(), "Hi"));
      Peer.Received call = client.next("Hi");
      client.send(
          Header.builder(MessageType.METHOD_RETURN).destination(cm.name()).replySerial(4711));
      client.reply(call, Value.of("first"));
      client.reply(call, Value.of("second"));
      client.roundTrip();
      assertThat(Tests.get(reply).text()).isEqualTo("first");
      assertThat(cm.all()).noneMatch(m -> m.header().replySerial() != 0);
    }
  }

  @Test
  void callsThatNobodyAnswersAreBounded() throws Exception {
    try (Peer client = server.client()) {
      List<CompletableFuture<Peer.Received>> calls = new ArrayList<>();
      for (int i = 0; i < Outstanding.MAX; i++) {
        calls.add(client.start(call(CM, "Never")));
      }
      assertThat(Tests.get(client.start(call(CM, "OneTooMany"))).errorName()).isEqualTo(LIMITS);
      Peer.Received first = cm.next("Never");
      cm.reply(first, Value.of("after all"));
      assertThat(Tests.get(calls.getFirst()).text()).isEqualTo("after all");
      client.roundTrip();
    }
  }

  @Test
  void callsThatAClientDoesNotAnswerAreBounded() throws Exception {
    try (Peer client = server.client()) {
      for (int i = 0; i < Unanswered.MAX; i++) {
        var _ = cm.start(call(client.name(), "Never"));
      }
      assertThat(Tests.get(cm.start(call(client.name(), "OneTooMany"))).errorName())
          .isEqualTo(LIMITS);
      client.reply(client.next("Never"));
      client.roundTrip();
      CompletableFuture<Peer.Received> again = cm.start(call(client.name(), "Again"));
      client.reply(client.next("Again"));
      assertThat(Tests.get(again).header().type()).isEqualTo(MessageType.METHOD_RETURN);
    }
  }

  @Test
  void aSerialThatIsUsedAgainTooEarlyEndsTheConnection() throws Exception {
    try (Peer client = server.client()) {
      client.write(call(CM, "Never").serial(77));
      client.write(call(CM, "Never").serial(77));
      client.awaitEnd();
      assertThat(server.end()).contains("serial 77");
    }
  }

  @Test
  void descriptorsDoNotPass() throws Exception {
    try (Peer client = server.client()) {
      byte[] plain =
          call(CM, "WithDescriptor").order(ByteOrder.LITTLE_ENDIAN).serial(900).build(0).raw();
      ByteBuffer fields = ByteBuffer.wrap(plain).order(ByteOrder.LITTLE_ENDIAN);
      // One more header field: UNIX_FDS, 9, of type u. What was padding before it stays.
      ByteBuffer longer = ByteBuffer.allocate(plain.length + 8).order(ByteOrder.LITTLE_ENDIAN);
      longer.put(plain).put(new byte[] {9, 1, 'u', 0}).putInt(1);
      longer.putInt(12, plain.length - 16 + 8);
      assertThat(fields.getInt(12)).isLessThanOrEqualTo(plain.length - 16);
      client.raw(longer.array());
      Peer.Received answer = client.next();
      while (answer.is("NameAcquired")) {
        answer = client.next();
      }
      assertThat(answer.error()).contains("NotSupported");
      assertThat(cm.all()).noneMatch(m -> m.is("WithDescriptor"));
    }
  }

  @Test
  void longMessagesPassAsTheyAre() throws Exception {
    byte[] bytes = new byte[24 << 20];
    new Random(7).nextBytes(bytes);
    try (Peer client = server.client()) {
      CompletableFuture<Peer.Received> reply = client.start(call(CM, "Long"), Value.of(bytes));
      Peer.Received call = cm.next("Long");
      assertThat(((Value.Bytes) call.argument(0)).value()).isEqualTo(bytes);
      cm.reply(call, Value.of(bytes));
      assertThat(((Value.Bytes) Tests.get(reply).argument(0)).value()).isEqualTo(bytes);
    }
  }

  @Test
  void everythingMayBeSentAtOnceAndUnderAnyIdentity() throws Exception {
    byte[] hello =
        Peer.callTo(Peer.BUS, "/org/freedesktop/DBus", Peer.BUS, "Hello").serial(1).build(0).raw();
    for (String sasl :
        List.of(
            "\0AUTH EXTERNAL\r\nDATA\r\nBEGIN\r\n",
            "\0AUTH EXTERNAL 3939393939\r\nNEGOTIATE_UNIX_FD\r\nBEGIN\r\n")) {
      try (Connection connection = Connection.connect(server.door)) {
        ByteArrayOutputStream all = new ByteArrayOutputStream();
        all.write(sasl.getBytes(StandardCharsets.ISO_8859_1));
        all.write(hello);
        connection.write(ByteBuffer.wrap(all.toByteArray()));
        StringBuilder said = new StringBuilder();
        ByteBuffer bytes = ByteBuffer.allocate(4096);
        while (said.indexOf("NameAcquired") < 0) {
          assertThat(connection.read(bytes.clear())).isPositive();
          said.append(StandardCharsets.ISO_8859_1.decode(bytes.flip()));
        }
        assertThat(said).contains("OK ").doesNotContain("AGREE_UNIX_FD");
      }
    }
  }

  @Test
  void whoDoesNotAuthenticateIsOut() throws Exception {
    for (String sasl : List.of("AUTH", "\0BEGIN\r\n", "\0" + "x".repeat(20_000))) {
      try (Connection connection = Connection.connect(server.door)) {
        connection.write(ByteBuffer.wrap(sasl.getBytes(StandardCharsets.ISO_8859_1)));
        Tests.awaitEnd(connection);
        assertThat(server.end()).startsWith("no authentication: ");
      }
    }
  }

  @Test
  void whatIsMalformedEndsThatConnectionOnly() throws Exception {
    try (Peer other = server.client()) {
      List<byte[]> originals = messages();
      Random random = new Random(20_26);
      for (int i = 0; i < 500; i++) {
        try (Peer client = server.client()) {
          for (int n = 0; n < 10; n++) {
            client.raw(mutated(originals.get(random.nextInt(originals.size())), random));
          }
        } catch (IOException e) {
          // Ended already: that is what shall become of it.
        }
      }
      Tests.await(() -> server.carried() == 1);
      other.roundTrip();
      assertThat(server.handedOut.grants().claimed()).isZero();
      assertThat(server.handedOut.grants().size()).isZero();
    }
  }

  private static List<byte[]> messages() {
    Value number = Value.u(0);
    Value variant = new Value.Variant(Value.u(0));
    return List.of(
        message(Peer.callTo(Peer.BUS, "/", Peer.BUS, "ListNames")),
        message(Peer.callTo(Peer.BUS, "/", Peer.BUS, "GetNameOwner"), Value.of(CM)),
        message(Peer.callTo(Peer.BUS, "/", Peer.BUS, "AddMatch"), Value.of("type='signal'")),
        message(Peer.callTo(":1.1", "/", "com.example.I", "M"), Value.of("x")),
        message(
            Peer.callTo(CM, ChildCm.CHANNEL, Names.STREAM_TUBE, "Accept"), number, number, variant),
        message(
            Peer.callTo(CM, ChildCm.CHANNEL, Names.STREAM_TUBE, "Offer"),
            number,
            new Value.Variant(Value.of(new byte[] {'/', 'x'})),
            number,
            Value.dict(Map.of())));
  }

  private static byte[] message(Header.Builder call, Value... arguments) {
    byte[] body = Body.encode(ByteOrder.LITTLE_ENDIAN, List.of(arguments));
    byte[] header =
        call.order(ByteOrder.LITTLE_ENDIAN)
            .serial(5)
            .signature(Body.signature(List.of(arguments)))
            .build(body.length)
            .raw();
    return ByteBuffer.allocate(header.length + body.length).put(header).put(body).array();
  }

  private static byte[] mutated(byte[] original, Random random) {
    byte[] b = original.clone();
    for (int i = random.nextInt(4); i >= 0; i--) {
      int at = random.nextInt(b.length);
      switch (random.nextInt(3)) {
        case 0 -> b[at] ^= (byte) (1 << random.nextInt(8));
        case 1 -> b[at] = (byte) random.nextInt(256);
        default -> b = Arrays.copyOf(b, Math.max(1, at));
      }
    }
    return b;
  }

  @Test
  void theLastWordsOfAClientArrive() throws Exception {
    Peer client = server.client();
    client.send(
        Header.builder(MessageType.SIGNAL)
            .path("/")
            .interfaceName("com.example.I")
            .member("Last")
            .destination(CM));
    client.close();
    assertThat(cm.next("Last").header().sender()).isEqualTo(client.name());
    // A reset, if the client left something unread.
    assertThat(server.end())
        .isIn(
            "the client closed it",
            "the connection to the client or from it broke: Connection reset");
  }

  @Test
  void withTheBusAllEnds() throws Exception {
    try (Peer client = server.client()) {
      bus.close();
      client.awaitEnd();
      Tests.await(() -> !server.handedOut.isOpen());
      assertThatThrownBy(
              () -> PolicedBus.connect(bus.endpoint(), BusPolicy.TELEPATHY, server.handedOut))
          .isInstanceOf(IOException.class);
    }
  }

  @Test
  void whoClosesItEndsIt() throws Exception {
    try (Peer client = server.client()) {
      server.handedOut.close();
      client.awaitEnd();
      assertThat(server.end()).isEqualTo("it was closed here");
    }
  }
}
