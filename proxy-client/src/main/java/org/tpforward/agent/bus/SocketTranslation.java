package org.tpforward.agent.bus;

import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.jspecify.annotations.Nullable;
import org.tpforward.agent.forward.ChannelKey;
import org.tpforward.agent.forward.Forward;
import org.tpforward.agent.forward.Forwards;
import org.tpforward.agent.forward.Offering;
import org.tpforward.agent.forward.TransferState;
import org.tpforward.agent.link.Link;
import org.tpforward.dbus.DBusErrorException;
import org.tpforward.dbus.Value;
import org.tpforward.socket.Endpoint;
import org.tpforward.telepathy.AccessControl;
import org.tpforward.telepathy.Addresses;
import org.tpforward.telepathy.Crossing;
import org.tpforward.telepathy.SocketKind;
import org.tpforward.telepathy.TelepathyException;

/** Calls by which sockets cross the bus, for one client: each becomes a forward or an offering. */
final class SocketTranslation {
  private final Forwards forwards;
  private final ChannelFacts facts;
  private final AddressTranslation addresses;
  private final long client;

  /**
   * For one client.
   *
   * @param client the bus client's number
   */
  SocketTranslation(RemoteNames names, Link link, Forwards forwards, long client) {
    this.forwards = forwards;
    this.facts = new ChannelFacts(names, link);
    this.addresses = new AddressTranslation(forwards, facts);
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
     * @throws IOException if the CM does not answer in time, or the bus is lost
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
    SocketKind local =
        SocketKind.of(Arguments.number(arguments.get(at)), Arguments.number(arguments.get(at + 1)));
    Endpoint.@Nullable Ip source = Arguments.source(local, arguments.get(at + 2));
    ChannelKey channel = Arguments.channel(message, owner);
    Value.Dict properties = facts.properties(channel, accept.interfaceName());
    SocketKind remote = facts.reachable(channel, accept.interfaceName(), properties);
    TransferState transfer =
        accept.use() == Crossing.Use.INCOMING_FILE
            ? new TransferState(
                ChannelFacts.size(properties),
                () -> initialOffset(channel, Arguments.offset(arguments)),
                client)
            : null;
    Forward forward =
        forwards.accept(
            new Forward.Spec(
                channel,
                Arguments.id(accept.idArg(), arguments),
                accept.use(),
                local,
                source,
                remote),
            transfer);
    arguments.set(at, Value.u(remote.type().code()));
    arguments.set(at + 1, Value.u(remote.access().code()));
    if (local.access() != AccessControl.LOCALHOST) {
      // "Ignored" under Localhost (Socket_Access_Control); what was meant for another goes.
      arguments.set(at + 2, new Value.Variant(Value.u(0)));
    }
    return new Sent(new Awaited.Accepted(forward), message.with(arguments));
  }

  /** The client listens and the CM shall connect: makes the server listen in the CM's reach. */
  Sent offer(Message message, Crossing.Offer offer, String owner)
      throws IOException, TelepathyException, DBusErrorException {
    List<Value> arguments = new ArrayList<>(message.arguments());
    int at = offer.typeArg();
    SocketKind local =
        SocketKind.of(Arguments.number(arguments.get(at)), Arguments.number(arguments.get(at + 2)));
    Endpoint service = Services.check(Addresses.parse(local.type(), arguments.get(at + 1)));
    ChannelKey channel = Arguments.channel(message, owner);
    Value.Dict properties = facts.properties(channel, offer.interfaceName());
    List<SocketKind> remotes = facts.offerable(channel, offer.interfaceName(), properties, local);
    Offering offering =
        forwards.offer(
            new Offering.Spec(channel, Forward.NO_ID, local, service, remotes.getFirst()),
            remotes.subList(1, remotes.size()));
    SocketKind remote = offering.spec().remote();
    if (message.header().noReplyExpected()) {
      // No reply will say that the channel has ended meanwhile. From here on its signal does.
      try {
        facts.checkThere(channel);
      } catch (IOException | DBusErrorException e) {
        offering.close();
        throw e;
      }
    }
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
    if (offered.repliesId() && message.first("u") instanceof Value.Uint32(long id)) {
      offered.offering().id(id);
    }
    return message.unchanged();
  }

  /** A connection to an offered tube: its parameter becomes what the client sees of it. */
  Outcome newConnection(Message message, Crossing.NewConnection signal) throws IOException {
    List<Value> arguments = new ArrayList<>(message.arguments());
    ChannelKey channel = Arguments.channel(message, String.valueOf(message.header().sender()));
    Optional<Offering> offering = forwards.offered(channel, Forward.NO_ID);
    if (offering.isEmpty()) {
      return message.unchanged();
    }
    Value parameter = arguments.get(signal.paramArg());
    Value translated =
        offering.get().parameter(parameter, Arguments.number(arguments.get(signal.paramArg() + 1)));
    arguments.set(signal.paramArg(), translated);
    return message.with(arguments);
  }

  /** The CM listens: the client gets the local address in the place of the CM's. */
  Outcome accepted(Message message, Awaited.Accepted accepted) throws IOException {
    return addresses.accepted(message, accepted);
  }

  /** The CM shall give a D-Bus server's address. */
  Sent busAddress(Message message, Crossing.BusAddress address, String owner)
      throws IOException, TelepathyException, DBusErrorException {
    return addresses.busAddress(message, address, owner);
  }

  /** The CM's D-Bus server listens. */
  Outcome busOffered(Message message, Awaited.BusOffered offered) throws IOException {
    return addresses.busOffered(message, offered);
  }

  /** Asks for the address of a stream tube that may have been accepted or offered before. */
  Sent tubeAddress(Message message, String owner) throws IOException {
    return addresses.tubeAddress(message, owner);
  }

  /** The address of such a tube. */
  Outcome addressed(Message message, Awaited.TubeAddress asked) throws IOException {
    return addresses.addressed(message, asked);
  }

  /**
   * Nothing will come of the call. To be told of every call whose reply has not been taken; one
   * whose reply was taken, but not written to a client that has just left, is not abandoned: the CM
   * listens and would refuse a second Accept, the forward belongs to the channel, and another
   * client may go on with it (a handler that is started again, GetStreamTubeSocketAddress). It goes
   * with the channel.
   */
  void abandoned(Awaited reply) {
    switch (reply) {
      case Awaited.Accepted accepted -> accepted.forward().close();
      case Awaited.BusOffered offered -> offered.forward().close();
      case Awaited.Offered offered -> offered.offering().close();
      default -> {}
    }
  }

  private long initialOffset(ChannelKey channel, long requested) {
    try {
      return facts.initialOffset(channel).orElse(requested);
    } catch (IOException | DBusErrorException e) {
      return requested;
    }
  }
}
