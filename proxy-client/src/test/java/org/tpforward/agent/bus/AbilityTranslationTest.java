package org.tpforward.agent.bus;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Objects;
import java.util.function.Consumer;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.tpforward.agent.link.Link;
import org.tpforward.agent.link.RemoteSocket;
import org.tpforward.dbus.Body;
import org.tpforward.dbus.Header;
import org.tpforward.dbus.MessageType;
import org.tpforward.dbus.Value;
import org.tpforward.relay.Duplex;
import org.tpforward.socket.Endpoint;
import org.tpforward.ssh.Incoming;
import org.tpforward.telepathy.AddressType;
import org.tpforward.telepathy.Crossing;
import org.tpforward.telepathy.Crossings;
import org.tpforward.telepathy.Names;

/** What a client sees of a CM's abilities, wherever they cross. */
class AbilityTranslationTest {
  private static final String AVAILABLE = Names.FILE_TRANSFER + ".AvailableSocketTypes";
  private static final String SUPPORTED = Names.STREAM_TUBE + ".SupportedSocketTypes";
  private static final Value GABBLE_FILES = map("0:0", "2:0", "3:0");
  private static final Value AGENT_FILES = map("0:0", "1:0", "2:0", "3:0");
  private static final Value AGENT_TUBES = map("0:0,3", "1:0,3", "2:0,1", "3:0,1");

  private final AbilityTranslation openssh = new AbilityTranslation(new Reaching(true, true));

  @Test
  void aFilePropertyBecomesWhatTheAgentCanOffer() throws Exception {
    Message get = message(reply("v"), variant(GABBLE_FILES));
    assertThat(arguments(openssh.property(get, ability(AVAILABLE))))
        .containsExactly(variant(AGENT_FILES));
  }

  @Test
  void aTubePropertyBecomesAllKindsThatExist() throws Exception {
    Message get = message(reply("v"), variant(map("0:0")));
    assertThat(arguments(openssh.property(get, ability(SUPPORTED))))
        .containsExactly(variant(AGENT_TUBES));
  }

  @Test
  void whatTheServerCannotReachIsOfferedAsNothing() throws Exception {
    Message get = message(reply("v"), variant(map("0:3")));
    assertThat(arguments(openssh.property(get, ability(AVAILABLE))))
        .containsExactly(variant(map()));
    AbilityTranslation withoutUnix = new AbilityTranslation(new Reaching(false, true));
    Message unixOnly = message(reply("v"), variant(map("0:0")));
    assertThat(arguments(withoutUnix.property(unixOnly, ability(AVAILABLE))))
        .containsExactly(variant(map()));
  }

  @Test
  void getAllHasUnqualifiedNames() throws Exception {
    Value size = variant(Value.t(5));
    Message all =
        message(reply("a{sv}"), dict("AvailableSocketTypes", variant(GABBLE_FILES), "Size", size));
    assertThat(arguments(openssh.allProperties(all, Names.FILE_TRANSFER)))
        .containsExactly(dict("AvailableSocketTypes", variant(AGENT_FILES), "Size", size));
  }

  /** Every place of the table that holds dictionaries, each with the ability in its depth. */
  static List<Crossing> places() {
    return Crossings.TABLE.stream()
        .filter(c ->
            c instanceof Crossing.NestedProperty
                || (c instanceof Crossing.Nested n && n.in() != Crossing.In.CALL))
        .toList();
  }

  @ParameterizedTest
  @MethodSource("places")
  void nestedAbilitiesAreReplacedWhereverTheyCross(Crossing place) throws Exception {
    Value before = nested(GABBLE_FILES);
    Value after = nested(AGENT_FILES);
    Outcome outcome =
        switch (place) {
          case Crossing.Nested n when n.in() == Crossing.In.ARRIVING ->
              openssh.arriving(message(signal("a(oa{sv})"), fill(n.arg(), before)), n);
          case Crossing.Nested n ->
              openssh.inReply(message(reply("a(oa{sv})"), fill(n.arg(), before)), List.of(n));
          default -> openssh.everywhere(message(reply("v"), variant(before)));
        };
    List<Value> arguments = arguments(outcome);
    Value last = arguments.get(arguments.size() - 1);
    assertThat(last instanceof Value.Variant(Value v) ? v : last).isEqualTo(after);
  }

  @Test
  void aMessageWithoutAbilitiesIsLeftAsItCame() throws Exception {
    Message signal = message(signal("a(oa{sv})"), channels(dict("other", variant(Value.of("x")))));
    Crossing.Nested newChannels =
        (Crossing.Nested) Crossings.of(Names.REQUESTS, "NewChannels", "a(oa{sv})").get(0);
    Outcome outcome = openssh.arriving(signal, newChannels);
    assertThat(((Outcome.Replaced) outcome).header()).isSameAs(signal.header());
  }

  @Test
  void aRequestGetsTheCmsOwnAbilitiesBack() throws Exception {
    Crossing.Nested call = (Crossing.Nested) createChannel(Crossing.In.CALL);
    openssh.arriving(
        message(signal("a(oa{sv})"), nested(GABBLE_FILES)),
        (Crossing.Nested) Crossings.of(Names.REQUESTS, "NewChannels", "a(oa{sv})").get(0));
    Message request = message(signal("a{sv}"), dict(AVAILABLE, variant(AGENT_FILES)));
    assertThat(arguments(openssh.requested(request, call, ":1.5")))
        .containsExactly(dict(AVAILABLE, variant(GABBLE_FILES)));
  }

  @Test
  void aRequestToACmNeverSeenBeforeLeavesTheAbilitiesToTheCm() throws Exception {
    Crossing.Nested call = (Crossing.Nested) createChannel(Crossing.In.CALL);
    Message request =
        message(
            signal("a{sv}"),
            dict(AVAILABLE, variant(AGENT_FILES), "other", variant(Value.of("x"))));
    assertThat(arguments(openssh.requested(request, call, ":1.99")))
        .containsExactly(dict("other", variant(Value.of("x"))));
  }

  private static Crossing createChannel(Crossing.In in) {
    return Crossings.of(Names.REQUESTS, "CreateChannel", "a{sv}").stream()
        .filter(c -> ((Crossing.Nested) c).in() == in)
        .findFirst()
        .orElseThrow();
  }

  private static Crossing.AbilityProperty ability(String name) {
    return Objects.requireNonNull(Crossings.ability(name), name);
  }

  private static Value nested(Value abilities) {
    return channels(dict(AVAILABLE, variant(abilities), "x.Interface", variant(Value.of("y"))));
  }

  private static Value channels(Value properties) {
    return new Value.Array(
        "(oa{sv})", List.of(new Value.Struct(List.of(Value.o("/channel"), properties))));
  }

  /** Arguments whose last is {@code value}, at that index. */
  private static Value[] fill(int index, Value value) {
    Value[] arguments = new Value[index + 1];
    Arrays.fill(arguments, Value.of("before"));
    arguments[index] = value;
    return arguments;
  }

  private static Value.Variant variant(Value value) {
    return new Value.Variant(value);
  }

  private static Value.Dict dict(Object... pairs) {
    List<Value.Entry> entries = new ArrayList<>();
    for (int i = 0; i < pairs.length; i += 2) {
      entries.add(new Value.Entry(Value.of((String) pairs[i]), (Value) pairs[i + 1]));
    }
    return new Value.Dict("s", "v", entries);
  }

  /** {@code "0:0,3"} says: Unix with Localhost and Credentials. */
  private static Value.Dict map(String... entries) {
    return new Value.Dict(
        "u",
        "au",
        Arrays.stream(entries)
            .map(e -> e.split(":", -1))
            .map(e ->
                new Value.Entry(
                    Value.u(Long.parseLong(e[0])),
                    new Value.Array(
                        "u",
                        Arrays.stream(e[1].split(",", -1))
                            .map(a -> (Value) Value.u(Long.parseLong(a)))
                            .toList())))
            .toList());
  }

  private static Header.Builder reply(String signature) {
    return Header.builder(MessageType.METHOD_RETURN).replySerial(7).signature(signature);
  }

  private static Header.Builder signal(String signature) {
    return Header.builder(MessageType.SIGNAL)
        .path("/x")
        .interfaceName("x.y")
        .member("Z")
        .signature(signature);
  }

  private static Message message(Header.Builder header, Value... arguments) {
    byte[] body = Body.encode(ByteOrder.LITTLE_ENDIAN, List.of(arguments));
    return new Message(
        header
            .order(ByteOrder.LITTLE_ENDIAN)
            .serial(3)
            .sender(":1.5")
            .signature(Body.signature(List.of(arguments)))
            .build(body.length),
        max -> body);
  }

  private static List<Value> arguments(Outcome outcome) throws Exception {
    Outcome.Replaced replaced = (Outcome.Replaced) outcome;
    return Body.decode(replaced.header().signature(), replaced.header().order(), replaced.body());
  }

  /** A link that opens nothing and reaches what a test says. */
  private record Reaching(boolean unix, boolean tcp) implements Link {
    @Override
    public Duplex open(Endpoint target) {
      throw new UnsupportedOperationException();
    }

    @Override
    public RemoteSocket listen(AddressType type, Consumer<Incoming> connections) {
      throw new UnsupportedOperationException();
    }

    @Override
    public Abilities abilities() {
      return new Abilities(unix, tcp, false, false);
    }
  }
}
