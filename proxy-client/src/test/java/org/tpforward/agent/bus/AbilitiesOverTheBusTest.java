package org.tpforward.agent.bus;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.ByteOrder;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.tpforward.dbus.Header;
import org.tpforward.dbus.MessageType;
import org.tpforward.dbus.Value;
import org.tpforward.telepathy.Names;
import org.tpforward.telepathy.SocketAbilities;

/** What a CM can do becomes what the agent can offer, wherever it crosses a real bus. */
class AbilitiesOverTheBusTest {
  private static final Value.Dict THEIRS = Cm.sockets("0:0", "2:0");
  private static final Value.Dict FILES = SocketAbilities.LOCALHOST_ONLY.toValue();
  private static final Value.Dict TUBES = SocketAbilities.ALL.toValue();

  @TempDir Path directory;
  private TestBus bus;
  private AgentFixture agent;
  private Cm cm;
  private Peer client;

  @BeforeEach
  void start() throws Exception {
    bus = new TestBus(directory);
    agent = new AgentFixture(directory, bus.socket());
    cm = new Cm(bus.socket());
    client = agent.client();
    cm.file(100, "0:0", "2:0");
    cm.tube("0:0", "2:0");
  }

  @AfterEach
  void stop() {
    client.close();
    cm.close();
    agent.close();
    bus.close();
  }

  /** An {@code (oa{sv})} of a channel with these abilities. */
  private static Value channel(Value.Dict abilities) {
    return Value.struct(
        Value.o(Cm.PATH),
        Value.dict(
            Map.of(
                Names.CHANNEL + ".TargetID",
                Value.of("bob"),
                Names.FILE_TRANSFER + ".AvailableSocketTypes",
                abilities)));
  }

  private static Value channels(Value.Dict abilities) {
    return Value.array("(oa{sv})", channel(abilities));
  }

  private Value property(String interfaceName, String name) throws Exception {
    Value value =
        client
            .call(
                cm.name(),
                Cm.PATH,
                Names.PROPERTIES,
                "Get",
                Value.of(interfaceName),
                Value.of(name))
            .argument(0);
    return ((Value.Variant) value).value();
  }

  @Test
  void byThemselves() throws Exception {
    assertThat(property(Names.FILE_TRANSFER, "AvailableSocketTypes")).isEqualTo(FILES);
    assertThat(property(Names.STREAM_TUBE, "SupportedSocketTypes")).isEqualTo(TUBES);
    assertThat(property(Names.FILE_TRANSFER, "Size")).isEqualTo(Value.t(100));
    cm.properties(Names.DBUS_TUBE, Map.of("SupportedAccessControls", Value.array("u", Value.u(3))));
    assertThat(property(Names.DBUS_TUBE, "SupportedAccessControls"))
        .isEqualTo(Value.array("u", Value.u(0), Value.u(3)));
  }

  @Test
  void withAllPropertiesOfAnInterface() throws Exception {
    Value.Dict all =
        (Value.Dict)
            client
                .call(cm.name(), Cm.PATH, Names.PROPERTIES, "GetAll", Value.of(Names.FILE_TRANSFER))
                .argument(0);
    assertThat(all.get("AvailableSocketTypes")).isEqualTo(new Value.Variant(FILES));
    assertThat(all.get("Size")).isEqualTo(new Value.Variant(Value.t(100)));
  }

  @Test
  void inTheDictionariesOfAConnectionsChannels() throws Exception {
    cm.properties(Names.REQUESTS, Map.of("Channels", channels(THEIRS)));
    assertThat(property(Names.REQUESTS, "Channels")).isEqualTo(channels(FILES));
    Value.Dict all =
        (Value.Dict)
            client
                .call(cm.name(), Cm.PATH, Names.PROPERTIES, "GetAll", Value.of(Names.REQUESTS))
                .argument(0);
    assertThat(all.get("Channels")).isEqualTo(new Value.Variant(channels(FILES)));
  }

  @Test
  void inSignalsInBothByteOrders() throws Exception {
    client.match("type='signal',interface='" + Names.REQUESTS + "'");
    for (ByteOrder order : List.of(ByteOrder.LITTLE_ENDIAN, ByteOrder.BIG_ENDIAN)) {
      cm.peer.order(order);
      cm.peer.signal("/conn", Names.REQUESTS, "NewChannels", channels(THEIRS));
      Peer.Received signal = client.next("NewChannels");
      assertThat(signal.argument(0)).isEqualTo(channels(FILES));
      assertThat(signal.header().order()).isEqualTo(order);
    }
  }

  @Test
  void inARequestTheyAreTheCmsOwnAgainAndInItsReplyTheAgents() throws Exception {
    property(Names.FILE_TRANSFER, "AvailableSocketTypes"); // So they are known.
    cm.on(
        "CreateChannel",
        call ->
            cm.peer.reply(
                call, Value.o(Cm.PATH), ((Value.Struct) channel(THEIRS)).fields().get(1)));
    Value request = ((Value.Struct) channel(FILES)).fields().get(1);
    Peer.Received reply = client.call(cm.name(), "/conn", Names.REQUESTS, "CreateChannel", request);
    assertThat(cm.next().argument(0)).isEqualTo(((Value.Struct) channel(THEIRS)).fields().get(1));
    assertThat(reply.arguments())
        .containsExactly(Value.o(Cm.PATH), ((Value.Struct) channel(FILES)).fields().get(1));
    cm.on(
        "EnsureChannel",
        call ->
            cm.peer.reply(
                call,
                Value.of(true),
                Value.o(Cm.PATH),
                ((Value.Struct) channel(THEIRS)).fields().get(1)));
    Peer.Received ensured =
        client.call(cm.name(), "/conn", Names.REQUESTS, "EnsureChannel", request);
    assertThat(ensured.argument(2)).isEqualTo(((Value.Struct) channel(FILES)).fields().get(1));
  }

  private Value[] handleChannels(Value.Dict abilities) {
    return new Value[] {
      Value.o("/account"),
      Value.o("/conn"),
      channels(abilities),
      Value.array("o"),
      Value.t(0),
      Value.dict(Map.of())
    };
  }

  @Test
  void inCallsToAClientUnderTheNameByWhichItIsKnown() throws Exception {
    String handler = "org.freedesktop.Telepathy.Client.Test";
    client.own(handler);
    cm.peer.send(
        cm.peer.callTo(handler, "/handler", Names.HANDLER, "HandleChannels").flags(1),
        handleChannels(THEIRS));
    assertThat(client.next("HandleChannels").argument(2)).isEqualTo(channels(FILES));
    cm.peer.send(
        cm.peer.callTo(client.name(), "/handler", Names.HANDLER, "HandleChannels").flags(1),
        handleChannels(THEIRS));
    assertThat(client.next("HandleChannels").argument(2)).isEqualTo(channels(FILES));
  }

  @Test
  void whoHasLostThatNameOnlyListensIn() throws Exception {
    String handler = "org.freedesktop.Telepathy.Client.Test";
    client.own(handler);
    client.callBus("ReleaseName", Value.of(handler));
    client.match("eavesdrop='true',type='method_call',interface='" + Names.HANDLER + "'");
    cm.peer.own(handler);
    cm.peer.send(
        cm.peer.callTo(handler, "/handler", Names.HANDLER, "HandleChannels").flags(1),
        handleChannels(THEIRS));
    assertThat(client.next("HandleChannels").argument(2)).isEqualTo(channels(THEIRS));
  }

  @Test
  void aMonitorSeesMessagesAsTheyAre() throws Exception {
    Peer monitor = agent.client();
    assertThat(
            monitor
                .call(
                    "org.freedesktop.DBus",
                    "/org/freedesktop/DBus",
                    "org.freedesktop.DBus.Monitoring",
                    "BecomeMonitor",
                    Value.strings(List.of()),
                    Value.u(0))
                .isError())
        .isFalse();
    client.match("type='signal',interface='" + Names.REQUESTS + "'");
    cm.peer.signal("/conn", Names.REQUESTS, "NewChannels", channels(THEIRS));
    assertThat(client.next("NewChannels").argument(0)).isEqualTo(channels(FILES));
    assertThat(monitor.next("NewChannels").argument(0)).isEqualTo(channels(THEIRS));
    property(Names.FILE_TRANSFER, "AvailableSocketTypes");
    Peer.Received reply = monitor.next();
    while (reply.header().type() != MessageType.METHOD_RETURN
        || !client.name().equals(reply.header().destination())
        || !cm.name().equals(reply.header().sender())) {
      reply = monitor.next();
    }
    assertThat(reply.argument(0)).isEqualTo(new Value.Variant(THEIRS));
    monitor.close();
  }

  @Test
  void aPropertyOfAnotherTypeOrAReplyOfAnotherSignatureIsNoAbility() throws Exception {
    cm.on("Get", call -> cm.peer.reply(call, new Value.Variant(Value.of("none of that"))));
    assertThat(property(Names.FILE_TRANSFER, "AvailableSocketTypes"))
        .isEqualTo(Value.of("none of that"));
    cm.on("Get", call -> cm.peer.reply(call, Value.u(5)));
    assertThat(
            client
                .call(
                    cm.name(),
                    Cm.PATH,
                    Names.PROPERTIES,
                    "Get",
                    Value.of(Names.FILE_TRANSFER),
                    Value.of("AvailableSocketTypes"))
                .argument(0))
        .isEqualTo(Value.u(5));
    client.roundTrip();
  }

  @Test
  void whatIsLongerThanAllChannelsThatAnybodyHasPassesAsItIs() throws Exception {
    client.match("type='signal',interface='" + Names.REQUESTS + "'");
    Value many =
        Value.array(
            "(oa{sv})",
            channel(THEIRS),
            Value.struct(Value.o("/x"), Value.dict(Map.of("x", Value.of("x".repeat(2 << 20))))));
    cm.peer.signal("/conn", Names.REQUESTS, "NewChannels", many);
    assertThat(client.next("NewChannels").argument(0)).isEqualTo(many);
  }

  @Test
  void aTubeThatCanOnlyBeOfferedHasAbilitiesToo() throws Exception {
    cm.tube("0:3");
    assertThat(property(Names.STREAM_TUBE, "SupportedSocketTypes")).isEqualTo(TUBES);
    cm.file(1, "0:3");
    assertThat(property(Names.FILE_TRANSFER, "AvailableSocketTypes"))
        .isEqualTo(SocketAbilities.NONE.toValue());
  }

  @Test
  void aMessageOfAKindThatNobodyKnowsPasses() throws Exception {
    Header.Builder ping = client.callTo(cm.name(), "/x", "x.y", "Unknown").flags(1);
    client.send(ping, Value.of("payload"));
    assertThat(cm.next().argument(0)).isEqualTo(Value.of("payload"));
  }
}
