package org.tpforward.server.bus;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.google.common.net.InetAddresses;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.tpforward.dbus.BusAddress;
import org.tpforward.dbus.Value;
import org.tpforward.socket.Connection;
import org.tpforward.socket.Endpoint;
import org.tpforward.socket.Listener;
import org.tpforward.telepathy.AccessControl;
import org.tpforward.telepathy.AddressType;
import org.tpforward.telepathy.Addresses;
import org.tpforward.telepathy.Names;

/** Which sockets a user may reach, beside a CM in a process of its own. */
class HandedOutTest {
  private static final String INVALID = "org.freedesktop.Telepathy.Error.InvalidArgument";

  @TempDir Path directory;
  private TestBus bus;
  private ChildCm cm;
  private PolicedFixture server;
  private Peer client;

  @BeforeEach
  void start() throws Exception {
    bus = new TestBus(directory);
    cm = new ChildCm(bus, directory);
    server = new PolicedFixture(directory, bus, BusPolicy.TELEPATHY);
    client = server.client();
  }

  @AfterEach
  void stop() {
    client.close();
    server.close();
    cm.close();
    bus.close();
  }

  private static Peer.Received acceptFile(Peer client, String destination, AddressType type)
      throws Exception {
    return client.call(
        destination,
        ChildCm.CHANNEL,
        Names.FILE_TRANSFER,
        "AcceptFile",
        Value.u(type.code()),
        Value.u(0),
        new Value.Variant(Value.u(0)),
        Value.t(0));
  }

  private Endpoint handedOut(AddressType type) throws Exception {
    Endpoint endpoint = cm.listen(type);
    cm.answer("AcceptFile", endpoint);
    assertThat(acceptFile(client, CmMain.NAME, type).argument(0))
        .isEqualTo(new Value.Variant(Addresses.toValue(endpoint)));
    return endpoint;
  }

  private static Connection connect(Endpoint to) throws IOException {
    return to instanceof Endpoint.Ip
        ? Connection.connect(to)
        : Connection.connectForCredentials(to);
  }

  private Grant check(Endpoint target) throws IOException {
    try (Connection connection = connect(target)) {
      return server.handedOut.check(target, connection);
    }
  }

  private void awaitGone(Endpoint endpoint) throws Exception {
    Tests.await(() -> server.handedOut.find(endpoint).isEmpty());
    assertThatThrownBy(() -> check(endpoint)).hasMessageContaining("handed out");
  }

  @ParameterizedTest
  @EnumSource(AddressType.class)
  void aSocketThatTheCmHandsOutMayBeReachedWhileItsChannelLives(AddressType type) throws Exception {
    Endpoint before = cm.listen(type);
    Endpoint endpoint = handedOut(type);
    assertThat(server.handedOut.find(before)).isEmpty();
    Grant grant = check(endpoint);
    assertThat(grant).isEqualTo(server.handedOut.find(endpoint).orElseThrow());
    assertThat(grant.owner()).isEqualTo(cm.name());
    assertThat(grant.pid()).isEqualTo(cm.pid());
    assertThat(grant.channel()).isEqualTo(ChildCm.CHANNEL);
    cm.signal("/another/channel", Names.CHANNEL, "Closed");
    cm.signal(ChildCm.CHANNEL, "com.example.Channel", "Closed");
    server.handedOut.names().catchUp();
    assertThat(server.handedOut.find(endpoint)).isPresent();
    cm.signal(ChildCm.CHANNEL, Names.CHANNEL, "Closed");
    awaitGone(endpoint);
  }

  @Test
  void itEndsWithTheCm() throws Exception {
    Endpoint endpoint = handedOut(AddressType.UNIX);
    cm.kill();
    Tests.await(() -> server.handedOut.find(endpoint).isEmpty());
    assertThat(server.handedOut.grants().size()).isZero();
  }

  @Test
  void itEndsWithTheConnectionThatHasTheChannel() throws Exception {
    cm.own("org.freedesktop.Telepathy.Connection.fake.x.y");
    cm.own("org.freedesktop.Telepathy.Connection.fake.x.z");
    Endpoint endpoint = handedOut(AddressType.UNIX);
    cm.release("org.freedesktop.Telepathy.Connection.fake.x.z");
    server.handedOut.names().catchUp();
    assertThat(server.handedOut.find(endpoint)).isPresent();
    cm.release("org.freedesktop.Telepathy.Connection.fake.x.y");
    awaitGone(endpoint);
  }

  @Test
  void somebodyElsesClosedDoesNotEndIt() throws Exception {
    Endpoint endpoint = handedOut(AddressType.UNIX);
    client.signal(ChildCm.CHANNEL, Names.CHANNEL, "Closed");
    client.roundTrip();
    server.handedOut.names().catchUp();
    assertThat(server.handedOut.find(endpoint)).isPresent();
  }

  @Test
  void aChannelThatClosedBeforeTheReplyHandsNothingOut() throws Exception {
    cm.answer("AcceptFile", CmMain.CLOSING);
    assertThat(acceptFile(client, CmMain.NAME, AddressType.UNIX).argument(0))
        .isEqualTo(new Value.Variant(Value.of(new byte[] {'/', 'x'})));
    server.handedOut.names().catchUp();
    assertThat(server.handedOut.find(new Endpoint.UnixPath("/x"))).isEmpty();
    assertThat(server.handedOut.grants().claimed()).isZero();
  }

  @ParameterizedTest
  @EnumSource(AddressType.class)
  void anotherServicesSocketIsNotTheCmsToHandOut(AddressType type) throws Exception {
    Endpoint place =
        switch (type) {
          case UNIX -> new Endpoint.UnixPath(directory.resolve("service").toString());
          case ABSTRACT_UNIX ->
              new Endpoint.UnixAbstract("tpforward-service-" + ProcessHandle.current().pid());
          case IPV4 -> new Endpoint.Ip(InetAddresses.forString("127.0.0.1"), 0);
          case IPV6 -> new Endpoint.Ip(InetAddresses.forString("::1"), 0);
        };
    try (Listener service = Listener.open(place)) {
      cm.answer("AcceptFile", service.endpoint());
      var _ = acceptFile(client, CmMain.NAME, type);
      assertThatThrownBy(() -> check(service.endpoint()))
          .isInstanceOf(IOException.class)
          .hasMessageContaining(cm.name())
          .hasMessageContaining("pid " + cm.pid());
    }
  }

  @Test
  void aLinkThatIsSwappedInDoesNotHelp() throws Exception {
    Endpoint endpoint = handedOut(AddressType.UNIX);
    Path path = Path.of(((Endpoint.UnixPath) endpoint).path());
    Path service = directory.resolve("service");
    try (Listener listener = Listener.open(new Endpoint.UnixPath(service.toString()))) {
      assertThat(listener.isOpen()).isTrue();
      Files.delete(path);
      Files.createSymbolicLink(path, service);
      assertThatThrownBy(() -> check(endpoint)).hasMessageContaining("pid " + cm.pid());
    }
  }

  @Test
  void whoeverLiesDoesNotKeepOthersFromWhatIsTheirs() throws Exception {
    try (ChildCm liar =
        new ChildCm(bus, Files.createDirectory(directory.resolve("liar")), CmMain.NAME + "liar")) {
      Endpoint endpoint = cm.listen(AddressType.UNIX);
      liar.answer("AcceptFile", endpoint);
      var _ = acceptFile(client, liar.name(), AddressType.UNIX);
      assertThatThrownBy(() -> check(endpoint)).hasMessageContaining(liar.name());
      cm.answer("AcceptFile", endpoint);
      var _ = acceptFile(client, cm.name(), AddressType.UNIX);
      assertThat(check(endpoint).owner()).isEqualTo(cm.name());
    }
  }

  @Test
  void whatAUsersOwnConnectionSaysDoesNotCount() throws Exception {
    Endpoint service = new Endpoint.UnixPath(directory.resolve("service").toString());
    try (Listener listener = Listener.open(service);
        Peer accomplice = server.client();
        PolicedFixture others = new PolicedFixture(directory, bus, BusPolicy.TELEPATHY);
        Peer stranger = others.client()) {
      assertThat(listener.isOpen()).isTrue();
      for (Peer peer : List.of(accomplice, stranger)) {
        String name = "org.freedesktop.Telepathy.Client.x" + peer.name().substring(3);
        peer.own(name);
        for (String destination : List.of(name, peer.name())) {
          CompletableFuture<Peer.Received> reply =
              client.start(
                  Peer.callTo(destination, ChildCm.CHANNEL, Names.FILE_TRANSFER, "AcceptFile"),
                  Value.u(0),
                  Value.u(0),
                  new Value.Variant(Value.u(0)),
                  Value.t(0));
          peer.reply(peer.next("AcceptFile"), new Value.Variant(Addresses.toValue(service)));
          assertThat(Tests.get(reply).argument(0))
              .isEqualTo(new Value.Variant(Addresses.toValue(service)));
          assertThat(server.handedOut.find(service)).isEmpty();
        }
      }
    }
  }

  @Test
  void noneOfTheServersConnectionsCanHideThatItIsOne() throws Exception {
    Endpoint service = new Endpoint.UnixPath(directory.resolve("service").toString());
    try (Listener listener = Listener.open(service);
        Peer accomplice = Peer.authenticated(server.door)) {
      assertThat(listener.isOpen()).isTrue();
      String name = "org.freedesktop.Telepathy.Client.accomplice";
      // Without a reply to its Hello the server does not learn its name.
      accomplice.send(Peer.callTo(Peer.BUS, "/", Peer.BUS, "Hello").flags(1));
      assertThat(accomplice.own(name).argument(0)).isEqualTo(Value.u(1));
      CompletableFuture<Peer.Received> reply =
          client.start(
              Peer.callTo(name, ChildCm.CHANNEL, Names.FILE_TRANSFER, "AcceptFile"),
              Value.u(0),
              Value.u(0),
              new Value.Variant(Value.u(0)),
              Value.t(0));
      accomplice.reply(
          accomplice.next("AcceptFile"), new Value.Variant(Addresses.toValue(service)));
      assertThat(Tests.get(reply).header().signature()).isEqualTo("v");
      assertThat(server.handedOut.find(service)).isEmpty();
    }
  }

  @Test
  void nothingBeyondTheMachineIsHandedOut() throws Exception {
    Endpoint far = new Endpoint.Ip(InetAddresses.forString("192.0.2.1"), 22);
    cm.answer("AcceptFile", far);
    var _ = acceptFile(client, CmMain.NAME, AddressType.IPV4);
    assertThat(server.handedOut.find(far)).isEmpty();
  }

  @Test
  void errorsAndNonsenseHandNothingOut() throws Exception {
    assertThat(acceptFile(client, CmMain.NAME, AddressType.UNIX).errorName())
        .contains("NotAvailable");
    cm.answer("AcceptFile", new Value.Struct(List.of(new Value.Variant(Value.of("/text")))));
    assertThat(acceptFile(client, CmMain.NAME, AddressType.UNIX).argument(0).toString())
        .contains("/text");
    cm.answer("AcceptFile", Value.u(7));
    assertThat(acceptFile(client, CmMain.NAME, AddressType.UNIX).argument(0)).isEqualTo(Value.u(7));
    assertThat(server.handedOut.grants().size()).isZero();
    assertThat(server.handedOut.grants().claimed()).isZero();
  }

  @Test
  void tubesEndOneByOne() throws Exception {
    Endpoint first = cm.listen(AddressType.UNIX);
    Endpoint second = cm.listen(AddressType.UNIX);
    for (int id = 1; id <= 2; id++) {
      cm.answer("AcceptStreamTube", id == 1 ? first : second);
      var _ =
          client.call(
              CmMain.NAME,
              ChildCm.CHANNEL,
              Names.TUBES,
              "AcceptStreamTube",
              Value.u(id),
              Value.u(0),
              Value.u(0),
              new Value.Variant(Value.u(0)));
    }
    assertThat(check(first)).isNotNull();
    assertThat(check(second)).isNotNull();
    cm.signal(ChildCm.CHANNEL, Names.TUBES, "TubeClosed", Value.u(1));
    awaitGone(first);
    assertThat(check(second)).isNotNull();
    cm.signal(ChildCm.CHANNEL, Names.CHANNEL, "Closed");
    awaitGone(second);
  }

  @Test
  void addressesOfTubesAndTheirBusesAreHandedOut() throws Exception {
    Endpoint known = cm.listen(AddressType.UNIX);
    cm.answer(
        "GetStreamTubeSocketAddress",
        new Value.Struct(List.of(Value.u(0), new Value.Variant(Addresses.toValue(known)))));
    var _ =
        client.call(
            CmMain.NAME, ChildCm.CHANNEL, Names.TUBES, "GetStreamTubeSocketAddress", Value.u(3));
    assertThat(check(known)).isNotNull();
    Endpoint.UnixPath path = (Endpoint.UnixPath) cm.listen(AddressType.UNIX);
    Endpoint.UnixAbstract name = (Endpoint.UnixAbstract) cm.listen(AddressType.ABSTRACT_UNIX);
    cm.answer(
        "Accept",
        Value.of(
            BusAddress.format(
                List.of(
                    new BusAddress("unix", Map.of("path", path.path())),
                    new BusAddress("unix", Map.of("abstract", name.name()))))));
    var _ = client.call(CmMain.NAME, ChildCm.CHANNEL, Names.DBUS_TUBE, "Accept", Value.u(3));
    assertThat(check(path).access()).isEqualTo(AccessControl.CREDENTIALS);
    assertThat(check(name)).isNotNull();
  }

  // What a client offers.

  private Peer.Received offer(Endpoint endpoint) throws Exception {
    return client.call(
        CmMain.NAME,
        ChildCm.CHANNEL,
        Names.STREAM_TUBE,
        "Offer",
        Value.u(Addresses.typeOf(endpoint).code()),
        new Value.Variant(Addresses.toValue(endpoint)),
        Value.u(0),
        Value.dict(Map.of()));
  }

  private Listener listener(boolean ip) throws IOException {
    return ip
        ? Listener.open(new Endpoint.Ip(InetAddresses.forString("127.0.0.1"), 0))
        : Listener.openForCredentials(
            new Endpoint.UnixPath(directory.resolve("offered").toString()));
  }

  @ParameterizedTest
  @ValueSource(booleans = {false, true})
  void theCmMayConnectToWhatIsOfferedToIt(boolean ip) throws Exception {
    cm.answer("Offer", CmMain.NOTHING);
    try (Listener listener = listener(ip);
        Listening listening = server.handedOut.listen(listener.endpoint())) {
      Endpoint endpoint = listener.endpoint();
      cm.connectTo(endpoint); // Too early, and waits.
      try (Connection early = listener.accept()) {
        assertThatThrownBy(() -> listening.check(early)).hasMessageContaining("handed out");
      }
      assertThat(offer(endpoint).header().errorName()).isNull();
      assertThat(cm.called()).containsExactly("Offer");
      listening.awaitOffered();
      cm.connectTo(endpoint);
      try (Connection accepted = listener.accept()) {
        assertThat(listening.check(accepted).pid()).isEqualTo(cm.pid());
        ByteBuffer bytes = ByteBuffer.allocate(2);
        assertThat(accepted.read(bytes)).isEqualTo(2);
      }
      // This process is not the CM.
      try (Connection mine = Connection.connect(endpoint);
          Connection accepted = listener.accept()) {
        assertThat(mine.isOpen()).isTrue();
        assertThatThrownBy(() -> listening.check(accepted)).hasMessageContaining("pid " + cm.pid());
      }
      assertThat(server.handedOut.findOffered(endpoint)).isPresent();
      assertThat(server.handedOut.find(endpoint)).isEmpty();
      cm.signal(ChildCm.CHANNEL, Names.CHANNEL, "Closed");
      Tests.await(() -> server.handedOut.findOffered(endpoint).isEmpty());
      CompletableFuture<Void> again =
          CompletableFuture.runAsync(() -> {
            try {
              listening.awaitOffered();
            } catch (IOException | InterruptedException e) {
              throw new IllegalStateException(e);
            }
          });
      assertThat(offer(endpoint).header().errorName()).isNull();
      Tests.get(again);
    }
  }

  @Test
  void anOfferOfAnythingElseReachesNoCm() throws Exception {
    Endpoint service = new Endpoint.UnixPath(directory.resolve("service").toString());
    cm.answer("Offer", CmMain.NOTHING);
    cm.answer("OfferStreamTube", Value.u(5));
    try (Listener listener = Listener.open(service);
        Listening mine = server.handedOut.listen(new Endpoint.UnixPath("/mine"))) {
      assertThat(listener.isOpen()).isTrue();
      Value address = new Value.Variant(Addresses.toValue(service));
      Value none = Value.dict(Map.of());
      assertThat(offer(service).errorName()).isEqualTo(INVALID);
      assertThat(
              client
                  .call(
                      CmMain.NAME,
                      ChildCm.CHANNEL,
                      null,
                      "Offer",
                      Value.u(0),
                      address,
                      Value.u(0),
                      none)
                  .errorName())
          .isEqualTo(INVALID);
      assertThat(
              client
                  .call(
                      cm.name(),
                      ChildCm.CHANNEL,
                      Names.TUBES,
                      "OfferStreamTube",
                      Value.of("x"),
                      none,
                      Value.u(0),
                      address,
                      Value.u(0),
                      new Value.Variant(Value.u(0)))
                  .errorName())
          .isEqualTo(INVALID);
      // A CM that does not compare signatures would take these too.
      assertThat(
              client
                  .call(
                      CmMain.NAME,
                      ChildCm.CHANNEL,
                      Names.STREAM_TUBE,
                      "Offer",
                      new Value.Int32(0),
                      address,
                      Value.u(0),
                      none)
                  .errorName())
          .isEqualTo(INVALID);
      assertThat(
              client
                  .call(CmMain.NAME, ChildCm.CHANNEL, null, "OfferStreamTube", Value.of("x"))
                  .errorName())
          .isEqualTo(INVALID);
      assertThat(
              client
                  .call(
                      CmMain.NAME,
                      ChildCm.CHANNEL,
                      Names.STREAM_TUBE,
                      "Offer",
                      Value.u(0),
                      new Value.Variant(Addresses.toValue(mine.endpoint())),
                      Value.u(0),
                      Value.dict(Map.of("long", Value.of("x".repeat(Message.MAX_CALL)))))
                  .errorName())
          .isEqualTo(INVALID);
      assertThat(cm.called()).isEmpty();
      assertThat(offer(mine.endpoint()).header().errorName()).isNull();
    }
    assertThat(offer(new Endpoint.UnixPath("/mine")).errorName()).isEqualTo(INVALID);
  }

  @Test
  void anOfferThatTheCmRefusesIsNone() throws Exception {
    try (Listener listener = listener(false);
        Listening listening = server.handedOut.listen(listener.endpoint())) {
      assertThat(offer(listening.endpoint()).errorName()).contains("NotAvailable");
      assertThat(server.handedOut.findOffered(listening.endpoint())).isEmpty();
      assertThat(server.handedOut.grants().claimed()).isZero();
    }
  }

  @Test
  void oneTubeOfManyEndsByItsId() throws Exception {
    cm.answer("OfferStreamTube", Value.u(5));
    try (Listening listening = server.handedOut.listen(new Endpoint.UnixPath("/mine"))) {
      var _ =
          client.call(
              cm.name(),
              ChildCm.CHANNEL,
              Names.TUBES,
              "OfferStreamTube",
              Value.of("x"),
              Value.dict(Map.of()),
              Value.u(0),
              new Value.Variant(Addresses.toValue(listening.endpoint())),
              Value.u(0),
              new Value.Variant(Value.u(0)));
      assertThat(server.handedOut.findOffered(listening.endpoint())).isPresent();
      cm.signal(ChildCm.CHANNEL, Names.TUBES, "TubeClosed", Value.u(4));
      server.handedOut.names().catchUp();
      assertThat(server.handedOut.findOffered(listening.endpoint())).isPresent();
      cm.signal(ChildCm.CHANNEL, Names.TUBES, "TubeClosed", Value.u(5));
      Tests.await(() -> server.handedOut.findOffered(listening.endpoint()).isEmpty());
    }
  }

  @Test
  void aClientsOwnCmIsOfferedWhatItLikes() throws Exception {
    try (Peer desktopCm = server.client()) {
      CompletableFuture<Peer.Received> reply =
          client.start(
              Peer.callTo(desktopCm.name(), ChildCm.CHANNEL, Names.STREAM_TUBE, "Offer"),
              Value.u(0),
              new Value.Variant(Value.of(new byte[] {'/', 'd'})),
              Value.u(0),
              Value.dict(Map.of()));
      // It owns no name, so it is seen only once it has called.
      assertThat(Tests.get(reply).errorName()).contains("ServiceUnknown");
      desktopCm.own("org.freedesktop.Telepathy.Client.cm");
      reply =
          client.start(
              Peer.callTo(desktopCm.name(), ChildCm.CHANNEL, Names.STREAM_TUBE, "Offer"),
              Value.u(0),
              new Value.Variant(Value.of(new byte[] {'/', 'd'})),
              Value.u(0),
              Value.dict(Map.of()));
      desktopCm.reply(desktopCm.next("Offer"));
      assertThat(Tests.get(reply).header().errorName()).isNull();
      // Under a name that another could take meanwhile it is no exception.
      assertThat(
              client
                  .call(
                      "org.freedesktop.Telepathy.Client.cm",
                      ChildCm.CHANNEL,
                      Names.STREAM_TUBE,
                      "Offer",
                      Value.u(0),
                      new Value.Variant(Value.of(new byte[] {'/', 'd'})),
                      Value.u(0),
                      Value.dict(Map.of()))
                  .errorName())
          .isEqualTo(INVALID);
    }
  }

  @Test
  void listenersAreBoundedAndClosingFreesTheirPlaces() throws Exception {
    try (Listening first = server.handedOut.listen(new Endpoint.UnixPath("/0"))) {
      assertThatThrownBy(() -> server.handedOut.listen(first.endpoint()))
          .hasMessageContaining("already");
      for (int i = 1; i < HandedOut.MAX_LISTENERS; i++) {
        var _ = server.handedOut.listen(new Endpoint.UnixPath("/" + i));
      }
      assertThatThrownBy(() -> server.handedOut.listen(new Endpoint.UnixPath("/more")))
          .hasMessageContaining("256");
    }
    Listening last = server.handedOut.listen(new Endpoint.UnixPath("/more"));
    CompletableFuture<String> woken =
        CompletableFuture.supplyAsync(() -> {
          try {
            last.awaitOffered();
            return "offered";
          } catch (IOException e) {
            return String.valueOf(e.getMessage());
          } catch (InterruptedException e) {
            return "interrupted";
          }
        });
    last.close();
    assertThat(Tests.get(woken)).contains("closed");
  }
}
