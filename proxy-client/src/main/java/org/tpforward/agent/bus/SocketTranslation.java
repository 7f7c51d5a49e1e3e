package org.tpforward.agent.bus;

import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.tpforward.agent.forward.ChannelKey;
import org.tpforward.agent.forward.Forward;
import org.tpforward.agent.forward.Forwards;
import org.tpforward.agent.forward.Offering;
import org.tpforward.agent.forward.TransferState;
import org.tpforward.agent.link.Link;
import org.tpforward.dbus.DBusErrorException;
import org.tpforward.dbus.ProtocolException;
import org.tpforward.dbus.Value;
import org.tpforward.socket.Endpoint;
import org.tpforward.telepathy.AccessControl;
import org.tpforward.telepathy.AddressType;
import org.tpforward.telepathy.Addresses;
import org.tpforward.telepathy.Crossing;
import org.tpforward.telepathy.SocketKind;
import org.tpforward.telepathy.TelepathyException;

/** Calls by which sockets cross the bus, for one client: each becomes a forward or an offering. */
final class SocketTranslation {
  private static final Logger log = LoggerFactory.getLogger(SocketTranslation.class);

  private final Forwards forwards;
  private final ChannelFacts facts;
  private final long client;

  /**
   * For one client.
   *
   * @param client the bus client's number
   */
  SocketTranslation(RemoteNames names, Link link, Forwards forwards, long client) {
    this.forwards = forwards;
    this.facts = new ChannelFacts(names, link);
    this.client = client;
  }

  /** A call to go on, and what becomes of its reply. */
  record Sent(Awaited reply, Outcome outcome) {}

  /** Translates one call. */
  @FunctionalInterface
  interface Call {
    /**
     * May block for the remote bus, the CM and the server.
     *
     * @throws TelepathyException what the client is answered instead
     * @throws DBusErrorException what the CM answered the agent, and the client is answered too
     */
    Sent translate() throws IOException, TelepathyException, DBusErrorException;
  }

  /**
   * The CM shall listen and the client connect: opens the local listener, of the kind that the
   * client asked for, before the call goes on, since a CM refuses a second one.
   */
  Sent accept(Message message, Crossing.Accept accept, String owner)
      throws IOException, TelepathyException, DBusErrorException {
    List<Value> arguments = new ArrayList<>(message.arguments());
    int at = accept.typeArg();
    SocketKind local = SocketKind.of(number(arguments.get(at)), number(arguments.get(at + 1)));
    Endpoint.@Nullable Ip source = source(local, arguments.get(at + 2));
    ChannelKey channel = channel(message, owner);
    Value.Dict properties = facts.properties(channel, accept.interfaceName());
    SocketKind remote = facts.reachable(channel, accept.interfaceName(), properties);
    TransferState transfer =
        accept.use() == Crossing.Use.INCOMING_FILE
            ? new TransferState(
                ChannelFacts.size(properties),
                () -> initialOffset(channel, offset(arguments)),
                client)
            : null;
    Forward forward =
        forwards.accept(
            new Forward.Spec(
                channel, id(accept.idArg(), arguments), accept.use(), local, source, remote),
            transfer);
    arguments.set(at, Value.u(remote.type().code()));
    arguments.set(at + 1, Value.u(remote.access().code()));
    if (local.access() != AccessControl.LOCALHOST) {
      // "Ignored" under Localhost (Socket_Access_Control); what was meant for another goes.
      arguments.set(at + 2, new Value.Variant(Value.u(0)));
    }
    return new Sent(new Awaited.Accepted(forward, owner), message.with(arguments));
  }

  /** The CM listens: the client gets the local address in the place of the CM's. */
  Outcome accepted(Message message, Awaited.Accepted accepted) throws IOException {
    Forward forward = accepted.forward();
    requireSender(message, accepted.owner(), forward);
    Value address = Translator.first(message, "v");
    try {
      forward.bind(onItsMachine(Addresses.parse(forward.spec().remote().type(), address)));
      return message.with(List.of(new Value.Variant(Addresses.toValue(forward.local()))));
    } catch (TelepathyException e) {
      return refused(message, forward, e);
    }
  }

  /** The client listens and the CM shall connect: makes the server listen in the CM's reach. */
  Sent offer(Message message, Crossing.Offer offer, String owner)
      throws IOException, TelepathyException, DBusErrorException {
    List<Value> arguments = new ArrayList<>(message.arguments());
    int at = offer.typeArg();
    SocketKind local = SocketKind.of(number(arguments.get(at)), number(arguments.get(at + 2)));
    Endpoint service = Services.check(Addresses.parse(local.type(), arguments.get(at + 1)));
    ChannelKey channel = channel(message, owner);
    Value.Dict properties = facts.properties(channel, offer.interfaceName());
    SocketKind remote = facts.offerable(channel, offer.interfaceName(), properties, local);
    Offering offering =
        forwards.offer(new Offering.Spec(channel, Forward.NO_ID, local, service, remote));
    arguments.set(at, Value.u(remote.type().code()));
    arguments.set(at + 1, new Value.Variant(Addresses.toValue(offering.remote())));
    arguments.set(at + 2, Value.u(remote.access().code()));
    if (offer.paramArg() >= 0 && local.access() != AccessControl.LOCALHOST) {
      arguments.set(offer.paramArg(), new Value.Variant(Value.u(0)));
    }
    return new Sent(new Awaited.Offered(offering, offer.repliesId()), message.with(arguments));
  }

  /** The offer has been taken; where one channel has many tubes, this one's id is known now. */
  Outcome offered(Message message, Awaited.Offered offered) throws IOException {
    if (offered.repliesId() && Translator.first(message, "u") instanceof Value.Uint32(long id)) {
      offered.offering().id(id);
    }
    return message.unchanged();
  }

  /** A connection to an offered tube: its parameter becomes what the client sees of it. */
  Outcome newConnection(Message message, Crossing.NewConnection signal) throws IOException {
    List<Value> arguments = new ArrayList<>(message.arguments());
    ChannelKey channel = channel(message, String.valueOf(message.header().sender()));
    Optional<Offering> offering = forwards.offered(channel, Forward.NO_ID);
    if (offering.isEmpty()) {
      return message.unchanged();
    }
    Value parameter = arguments.get(signal.paramArg());
    Value translated =
        offering.get().parameter(parameter, number(arguments.get(signal.paramArg() + 1)));
    arguments.set(signal.paramArg(), translated);
    return message.with(arguments);
  }

  /** The CM shall give a D-Bus server's address: opens the local listener for it. */
  Sent busAddress(Message message, Crossing.BusAddress address, String owner)
      throws IOException, TelepathyException, DBusErrorException {
    List<Value> arguments = new ArrayList<>(message.arguments());
    ChannelKey channel = channel(message, owner);
    AccessControl access = AccessControl.CREDENTIALS;
    Outcome outcome = message.unchanged();
    if (address.accessArg() >= 0) {
      SocketKind.of(AddressType.UNIX.code(), number(arguments.get(address.accessArg())));
      access = facts.busAccess(channel, number(arguments.get(address.accessArg())));
      arguments.set(address.accessArg(), Value.u(access.code()));
      outcome = message.with(arguments);
    }
    Forward forward =
        forwards.accept(
            new Forward.Spec(
                channel,
                id(address.idArg(), arguments),
                Crossing.Use.DBUS_TUBE,
                new SocketKind(AddressType.UNIX, AccessControl.LOCALHOST),
                null,
                new SocketKind(AddressType.UNIX, access)),
            null);
    return new Sent(new Awaited.BusOffered(forward, owner), outcome);
  }

  /** The CM's D-Bus server listens: the client gets a local address in the place of the CM's. */
  Outcome busOffered(Message message, Awaited.BusOffered offered) throws IOException {
    Forward forward = offered.forward();
    requireSender(message, offered.owner(), forward);
    try {
      Endpoint target =
          facts.busTarget(Translator.first(message, "s") instanceof Value.Str(String s) ? s : "");
      Optional<Forward> known =
          forwards
              .serving(forward.spec().channel(), forward.spec().id(), Crossing.Use.DBUS_TUBE)
              .filter(f -> target.equals(f.target()));
      if (known.isPresent()) {
        forward.close();
      } else {
        forward.bind(target);
      }
      return message.with(
          List.of(Value.of(ChannelFacts.busAddress(known.orElse(forward).local()))));
    } catch (TelepathyException e) {
      return refused(message, forward, e);
    }
  }

  /** Asks for the address of a stream tube that may have been accepted or offered before. */
  Sent tubeAddress(Message message, String owner) throws IOException {
    long id = number(message.arguments().get(0));
    return new Sent(new Awaited.TubeAddress(channel(message, owner), id), message.unchanged());
  }

  /** The same local address as before; the original of an offered tube; or a new forward. */
  Outcome addressed(Message message, Awaited.TubeAddress asked) throws IOException {
    Optional<Offering> offering = forwards.offered(asked.channel(), asked.id());
    if (offering.isPresent()) {
      return address(message, offering.get().spec().service());
    }
    Optional<Forward> known =
        forwards.serving(asked.channel(), asked.id(), Crossing.Use.STREAM_TUBE);
    if (known.isPresent()) {
      return address(message, known.get().local());
    }
    Value first = Translator.first(message, "uv");
    try {
      AddressType type =
          AddressType.of(number(first))
              .orElseThrow(() -> TelepathyException.notAvailable("an unknown address type"));
      Endpoint target = onItsMachine(Addresses.parse(type, message.arguments().get(1)));
      SocketKind kind = new SocketKind(AddressType.UNIX, AccessControl.LOCALHOST);
      Forward forward =
          forwards.accept(
              new Forward.Spec(
                  asked.channel(),
                  asked.id(),
                  Crossing.Use.STREAM_TUBE,
                  kind,
                  null,
                  new SocketKind(type, AccessControl.LOCALHOST)),
              null);
      forward.bind(target);
      return address(message, forward.local());
    } catch (TelepathyException e) {
      return Errors.instead(message.header(), e.errorName(), e.text());
    }
  }

  /** Nothing will come of the call. */
  void abandoned(Awaited reply) {
    switch (reply) {
      case Awaited.Accepted accepted -> accepted.forward().close();
      case Awaited.BusOffered offered -> offered.forward().close();
      case Awaited.Offered offered -> offered.offering().close();
      default -> {}
    }
  }

  private static Outcome address(Message message, Endpoint endpoint) {
    return message.with(
        List.of(
            Value.u(Addresses.typeOf(endpoint).code()),
            new Value.Variant(Addresses.toValue(endpoint))));
  }

  private static void requireSender(Message message, String owner, Forward forward)
      throws ProtocolException {
    if (!owner.equals(message.header().sender())) {
      forward.close();
      throw new ProtocolException("the reply to a call of " + owner + " came from somebody else");
    }
  }

  /** A CM that named another machine would make the agent a way to any host. */
  private static Endpoint onItsMachine(Endpoint target) throws TelepathyException {
    if (target instanceof Endpoint.Ip ip && !ip.isLoopback()) {
      throw TelepathyException.notAvailable(
          "the CM names " + ip + ", which is not on its own machine");
    }
    return target;
  }

  private static Outcome refused(Message message, Forward forward, TelepathyException e) {
    forward.close();
    log.warn(
        "{} on {}: the CM's address is refused: {}",
        forward.spec().use(),
        forward.spec().channel().path(),
        e.getMessage());
    return Errors.instead(
        message.header(),
        e.errorName().endsWith(".NotImplemented")
            ? e.errorName()
            : TelepathyException.notAvailable("").errorName(),
        "tpforward refuses the CM's address: " + e.text());
  }

  private long initialOffset(ChannelKey channel, long requested) {
    try {
      return facts.initialOffset(channel).orElse(requested);
    } catch (IOException | DBusErrorException e) {
      return requested;
    }
  }

  private static ChannelKey channel(Message message, String owner) {
    return new ChannelKey(owner, String.valueOf(message.header().path()));
  }

  private static long id(int idArg, List<Value> arguments) {
    return idArg < 0 ? Forward.NO_ID : number(arguments.get(idArg));
  }

  private static long offset(List<Value> arguments) {
    return arguments.get(arguments.size() - 1) instanceof Value.Uint64(long offset) ? offset : 0;
  }

  private static Endpoint.@Nullable Ip source(SocketKind kind, Value parameter)
      throws TelepathyException {
    if (kind.access() != AccessControl.PORT) {
      return null;
    }
    // telepathy-glib 0.24 passes the port alone, as u, and connects from the loopback address.
    if (parameter instanceof Value.Variant(Value.Uint32(long port)) && port > 0 && port < 65536) {
      return new Endpoint.Ip(LocalAddresses.loopback(kind.type()), (int) port);
    }
    return Addresses.ip(parameter);
  }

  private static long number(Value value) {
    return value instanceof Value.Uint32(long number) ? number : -1;
  }
}
