package org.tpforward.server.bus;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.BufferedReader;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.tpforward.dbus.Header;
import org.tpforward.dbus.MessageType;
import org.tpforward.dbus.Value;

/** What a policed client sees of a real bus, and what it may do there. */
class PolicyTest {
  private static final String TELEPATHY = "org.freedesktop.Telepathy.ConnectionManager.x";
  private static final String HIDDEN = "com.example.Hidden";
  private static final String ABSENT = "com.example.Absent";
  private static final String DENIED = "org.freedesktop.DBus.Error.AccessDenied";

  @TempDir Path directory;
  private TestBus bus;
  private PolicedFixture server;
  private Peer client;
  private Peer cm;
  private Peer stranger;

  @BeforeEach
  void start() throws Exception {
    bus = new TestBus(directory);
    cm = Peer.connect(bus.endpoint());
    cm.own(TELEPATHY);
    server = new PolicedFixture(directory, bus, BusPolicy.TELEPATHY);
    stranger = Peer.connect(bus.endpoint());
    stranger.own(HIDDEN);
    client = server.client();
  }

  @AfterEach
  void stop() {
    client.close();
    cm.close();
    stranger.close();
    server.close();
    bus.close();
  }

  private static List<String> strings(Peer.Received reply) throws Exception {
    List<String> strings = new ArrayList<>();
    for (Value value : ((Value.Array) reply.argument(0)).elements()) {
      strings.add(((Value.Str) value).value());
    }
    return strings;
  }

  @Test
  void listsOnlyWhatIsSeen() throws Exception {
    assertThat(strings(client.callBus("ListNames")))
        .containsExactlyInAnyOrder(Peer.BUS, TELEPATHY, cm.name(), client.name());
    assertThat(strings(client.callBus("ListActivatableNames")))
        .containsExactlyInAnyOrder(Peer.BUS, TestBus.STARTABLE);
    assertThat(strings(stranger.callBus("ListActivatableNames")))
        .contains(TestBus.HIDDEN_STARTABLE);
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "NameHasOwner",
        "GetNameOwner",
        "GetConnectionUnixUser",
        "GetConnectionUnixProcessID",
        "GetConnectionCredentials",
        "GetAdtAuditSessionData",
        "GetConnectionSELinuxSecurityContext"
      })
  void aHiddenNameIsAnsweredForAsOneThatIsNotThere(String member) throws Exception {
    String absent = stranger.callBus(member, Value.of(ABSENT)).error();
    assertThat(client.callBus(member, Value.of(ABSENT)).error()).isEqualTo(absent);
    assertThat(client.callBus(member, Value.of(HIDDEN)).error())
        .isEqualTo(absent.replace(ABSENT, HIDDEN));
    String gone = stranger.callBus(member, Value.of(":1.99")).error();
    assertThat(client.callBus(member, Value.of(":1.99")).error()).isEqualTo(gone);
    assertThat(client.callBus(member, Value.of(stranger.name())).error())
        .isEqualTo(gone.replace(":1.99", stranger.name()));
  }

  @Test
  void ofASeenNameTheBusTells() throws Exception {
    assertThat(client.callBus("GetNameOwner", Value.of(TELEPATHY)).text()).isEqualTo(cm.name());
    assertThat(client.callBus("NameHasOwner", Value.of(TELEPATHY)).argument(0))
        .isEqualTo(Value.of(true));
    assertThat(client.callBus("GetConnectionUnixProcessID", Value.of(cm.name())).argument(0))
        .isEqualTo(Value.u(ProcessHandle.current().pid()));
    assertThat(client.callBus("GetConnectionUnixUser", Value.of(client.name())).header().type())
        .isEqualTo(MessageType.METHOD_RETURN);
  }

  @Test
  void callsToAHiddenNameFailAsToOneThatIsNotThere() throws Exception {
    String absent = stranger.ping(ABSENT).error();
    assertThat(client.ping(ABSENT).error()).isEqualTo(absent);
    assertThat(client.ping(HIDDEN).error()).isEqualTo(absent.replace(ABSENT, HIDDEN));
    assertThat(client.ping(TestBus.HIDDEN_STARTABLE).error())
        .isEqualTo(absent.replace(ABSENT, TestBus.HIDDEN_STARTABLE));
    String gone = stranger.ping(":1.99").error();
    assertThat(client.ping(":1.99").error()).isEqualTo(gone);
    assertThat(client.ping(stranger.name()).error())
        .isEqualTo(gone.replace(":1.99", stranger.name()));
    assertThat(stranger.all()).noneMatch(m -> m.is("Ping"));
  }

  @Test
  void soDoCallsThatStartNothing() throws Exception {
    String absent = Tests.get(noAutoStart(stranger, ABSENT)).error();
    assertThat(Tests.get(noAutoStart(client, ABSENT)).error()).isEqualTo(absent);
    assertThat(Tests.get(noAutoStart(client, HIDDEN)).error())
        .isEqualTo(absent.replace(ABSENT, HIDDEN));
  }

  private static CompletableFuture<Peer.Received> noAutoStart(Peer peer, String name)
      throws Exception {
    return peer.start(Peer.callTo(name, "/", "org.freedesktop.DBus.Peer", "Ping").flags(2));
  }

  @Test
  void hiddenServicesAreNotStarted() throws Exception {
    String absent = stranger.callBus("StartServiceByName", Value.of(ABSENT), Value.u(0)).error();
    assertThat(
            client
                .callBus("StartServiceByName", Value.of(TestBus.HIDDEN_STARTABLE), Value.u(0))
                .error())
        .isEqualTo(absent.replace(ABSENT, TestBus.HIDDEN_STARTABLE));
    // /bin/false is started, and fails.
    assertThat(
            client.callBus("StartServiceByName", Value.of(TestBus.STARTABLE), Value.u(0)).error())
        .contains("Spawn.ChildExited");
  }

  @Test
  void aUniqueNameIsSeenThroughWhatItOwnsOrOwned() throws Exception {
    assertThat(client.ping(stranger.name()).errorName()).contains("ServiceUnknown");
    stranger.own("org.freedesktop.Telepathy.Client.late");
    CompletableFuture<Peer.Received> reply =
        client.start(Peer.callTo(stranger.name(), "/", "org.freedesktop.DBus.Peer", "Ping"));
    stranger.reply(stranger.next("Ping"));
    assertThat(Tests.get(reply).header().sender()).isEqualTo(stranger.name());
    stranger.callBus("ReleaseName", Value.of("org.freedesktop.Telepathy.Client.late"));
    assertThat(client.callBus("NameHasOwner", Value.of(stranger.name())).argument(0))
        .isEqualTo(Value.of(true));
  }

  @Test
  void changesOfOwnersAreToldOfSeenNamesOnly() throws Exception {
    client.match("member='NameOwnerChanged'");
    Peer guest = Peer.connect(bus.endpoint());
    guest.own("com.example.Guest");
    guest.own("org.freedesktop.Telepathy.Guest");
    guest.close();
    List<String> told = new ArrayList<>();
    for (int i = 0; i < 3; i++) {
      told.add(client.next("NameOwnerChanged").arguments().toString());
    }
    assertThat(told)
        .containsExactlyInAnyOrder(
            changed("org.freedesktop.Telepathy.Guest", "", guest.name()),
            changed("org.freedesktop.Telepathy.Guest", guest.name(), ""),
            changed(guest.name(), guest.name(), ""));
    assertThat(client.all()).isEmpty();
  }

  private static String changed(String name, String before, String now) {
    return List.of(Value.of(name), Value.of(before), Value.of(now)).toString();
  }

  @Test
  void broadcastsOfSeenSendersPassAndThoseOfHiddenOnesDoNot() throws Exception {
    client.match("type='signal'");
    stranger.signal("/", "com.example.I", "Hidden");
    stranger.roundTrip();
    cm.signal("/", "com.example.I", "Seen");
    Peer.Received first = client.next();
    while (!"com.example.I".equals(first.header().interfaceName())) {
      first = client.next();
    }
    assertThat(first.header().member()).isEqualTo("Seen");
    assertThat(first.header().sender()).isEqualTo(cm.name());
  }

  @Test
  void whatTheBusDidBeforeASignalIsKnownBeforeIt() throws Exception {
    client.match("interface='com.example.I'");
    for (int i = 0; i < 100; i++) {
      try (Peer newcomer = Peer.connect(bus.endpoint())) {
        var _ =
            newcomer.start(
                Peer.callTo(Peer.BUS, "/", Peer.BUS, "RequestName"),
                Value.of("org.freedesktop.Telepathy.N" + i),
                Value.u(0));
        newcomer.signal("/", "com.example.I", "New" + i);
        newcomer.roundTrip();
        assertThat(client.next("New" + i).header().sender()).isEqualTo(newcomer.name());
      }
    }
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "com.example.Mine",
        "org.freedesktop.Telepathy",
        "org.freedesktop.Telepathy.ConnectionManager.mine",
        "org.freedesktop.Telepathy.Client",
        "org.freedesktop.Telepathy.ClientX.mine",
        "org.freedesktop.DBus"
      })
  void noOtherNameMayBeOwnedThanAClients(String name) throws Exception {
    assertThat(client.own(name).errorName()).isEqualTo(DENIED);
    assertThat(client.callBus("ReleaseName", Value.of(name)).errorName()).isEqualTo(DENIED);
  }

  @Test
  void aClientsNameMayBeOwned() throws Exception {
    String name = "org.freedesktop.Telepathy.Client.mine";
    assertThat(client.own(name).argument(0)).isEqualTo(Value.u(1));
    assertThat(strings(client.callBus("ListQueuedOwners", Value.of(name))))
        .containsExactly(client.name());
    assertThat(client.callBus("ListQueuedOwners", Value.of(TELEPATHY)).errorName())
        .isEqualTo(DENIED);
    assertThat(client.callBus("ListQueuedOwners", Value.of(HIDDEN)).error())
        .isEqualTo(
            stranger.callBus("ListQueuedOwners", Value.of(ABSENT)).error().replace(ABSENT, HIDDEN));
    CompletableFuture<Peer.Received> reply =
        cm.start(Peer.callTo(name, "/", "com.example.I", "Hi"), Value.of("there"));
    Peer.Received call = client.next("Hi");
    assertThat(call.text()).isEqualTo("there");
    client.reply(call, Value.of("here"));
    assertThat(Tests.get(reply).text()).isEqualTo("here");
  }

  @Test
  void whatWouldReachBeyondIsDenied() throws Exception {
    Value.Array none = new Value.Array("s", List.of());
    assertThat(
            client
                .call(
                    Peer.BUS,
                    "/org/freedesktop/DBus",
                    "org.freedesktop.DBus.Monitoring",
                    "BecomeMonitor",
                    none,
                    Value.u(0))
                .errorName())
        .isEqualTo(DENIED);
    for (String member : List.of("BecomeMonitor", "ReloadConfig", "GetStats", "EnableVerbose")) {
      assertThat(client.call(Peer.BUS, "/org/freedesktop/DBus", null, member).errorName())
          .isEqualTo(DENIED);
    }
    assertThat(
            client
                .callBus("UpdateActivationEnvironment", new Value.Dict("s", "s", List.of()))
                .errorName())
        .isEqualTo(DENIED);
    assertThat(client.call(Peer.BUS, "/", "org.freedesktop.DBus.Peer", "GetMachineId").errorName())
        .isEqualTo(DENIED);
    assertThat(client.callBus("NoSuchMethod").errorName()).isEqualTo(DENIED);
  }

  @Test
  void whatAnyClientNeedsOfTheBusPasses() throws Exception {
    for (String[] method :
        new String[][] {
          {"org.freedesktop.DBus.Peer", "Ping"},
          {"org.freedesktop.DBus.Introspectable", "Introspect"},
          {null, "GetId"},
        }) {
      assertThat(
              client.call(Peer.BUS, "/org/freedesktop/DBus", method[0], method[1]).header().type())
          .isEqualTo(MessageType.METHOD_RETURN);
    }
    assertThat(
            client
                .call(
                    Peer.BUS,
                    "/org/freedesktop/DBus",
                    "org.freedesktop.DBus.Properties",
                    "Get",
                    Value.of(Peer.BUS),
                    Value.of("Features"))
                .header()
                .type())
        .isEqualTo(MessageType.METHOD_RETURN);
    assertThat(client.callBus("Hello").errorName()).contains("Failed");
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "eavesdrop='true'",
        "eavesdrop=true",
        " eavesdrop = 'true'",
        "type='signal',eavesdrop='true'",
        "member='A',\teavesdrop='tr''ue',type='signal'",
        "path='/a\\',eavesdrop='true'"
      })
  void nobodyEavesdrops(String rule) throws Exception {
    assertThat(client.callBus("AddMatch", Value.of(rule)).errorName()).isNotEqualTo("null");
    Peer other = Peer.connect(bus.endpoint());
    var _ = other.start(Peer.callTo(cm.name(), "/a", "com.example.I", "Secret"));
    assertThat(cm.next("Secret").header().sender()).isEqualTo(other.name());
    assertThat(client.all()).noneMatch(m -> m.is("Secret"));
    other.close();
  }

  @Test
  void aPeerThatCallsCanBeSeenButNotCalled() throws Exception {
    assertThat(client.callBus("NameHasOwner", Value.of(stranger.name())).argument(0))
        .isEqualTo(Value.of(false));
    client.match("member='NameOwnerChanged'");
    CompletableFuture<Peer.Received> reply =
        stranger.start(Peer.callTo(client.name(), "/", "com.example.I", "Hi"));
    client.reply(client.next("Hi"));
    assertThat(Tests.get(reply).header().type()).isEqualTo(MessageType.METHOD_RETURN);
    assertThat(client.callBus("NameHasOwner", Value.of(stranger.name())).argument(0))
        .isEqualTo(Value.of(true));
    assertThat(client.ping(stranger.name()).errorName()).isEqualTo(DENIED);
    stranger.signal("/", "com.example.I", "Broadcast");
    stranger.close();
    assertThat(client.next().text()).isEqualTo(stranger.name());
  }

  @Test
  void aUnicastSignalGoesToWhoMayBeCalled() throws Exception {
    cm.signal("/", "com.example.I", "Ignored");
    client.send(signalTo(stranger.name(), "Lost"));
    client.send(signalTo(HIDDEN, "Lost"));
    client.send(signalTo(cm.name(), "Found"));
    assertThat(cm.next("Found").header().sender()).isEqualTo(client.name());
    assertThat(stranger.all()).noneMatch(m -> m.is("Lost"));
  }

  private static Header.Builder signalTo(String destination, String member) {
    return Header.builder(MessageType.SIGNAL)
        .path("/")
        .interfaceName("com.example.I")
        .member(member)
        .destination(destination);
  }

  @Test
  void namesAndCallsCanBeAdded() throws Exception {
    try (PolicedFixture wider =
            new PolicedFixture(
                directory,
                bus,
                new BusPolicy(
                    List.of("com.example.Hidden.*"),
                    List.of("com.example.Some=com.example.I.*@/allowed/*")));
        Peer guest = Peer.connect(bus.endpoint());
        Peer user = wider.client()) {
      guest.own("com.example.Some");
      assertThat(strings(user.callBus("ListNames")))
          .contains(HIDDEN, stranger.name(), "com.example.Some", guest.name());
      assertThat(user.ping(guest.name()).errorName()).isEqualTo(DENIED);
      assertThat(
              user.callBus("StartServiceByName", Value.of("com.example.Some"), Value.u(0))
                  .errorName())
          .isEqualTo(DENIED);
      assertThat(user.call("com.example.Some", "/other", "com.example.I", "M").errorName())
          .isEqualTo(DENIED);
      var _ = user.start(Peer.callTo(guest.name(), "/allowed/x", "com.example.I", "M"));
      assertThat(guest.next("M").header().path()).isEqualTo("/allowed/x");
      var _ = user.start(Peer.callTo(HIDDEN, "/", null, "Any"));
      assertThat(stranger.next("Any").header().sender()).isEqualTo(user.name());
      assertThat(user.own(HIDDEN).errorName()).isEqualTo(DENIED);
    }
  }

  @Test
  void realProgramsSeeTheSame() throws Exception {
    String names =
        TestBus.run(
            server.address(),
            List.of(
                "dbus-send",
                "--session",
                "--print-reply",
                "--dest=org.freedesktop.DBus",
                "/",
                "org.freedesktop.DBus.ListNames"));
    assertThat(names).contains(TELEPATHY).doesNotContain(HIDDEN);
    assertThat(
            TestBus.run(
                server.address(),
                List.of(
                    "gdbus",
                    "call",
                    "--session",
                    "-d",
                    HIDDEN,
                    "-o",
                    "/",
                    "-m",
                    "com.example.I.M")))
        .contains("ServiceUnknown");
    // It falls back to what it may see, and goes on.
    Process monitor =
        new ProcessBuilder("dbus-monitor", "--address", server.address())
            .redirectErrorStream(true)
            .start();
    try (BufferedReader output = monitor.inputReader(StandardCharsets.UTF_8)) {
      assertThat(output.readLine()).contains("AccessDenied");
    } finally {
      monitor.destroyForcibly();
    }
  }
}
