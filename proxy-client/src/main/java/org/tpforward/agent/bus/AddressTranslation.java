package org.tpforward.agent.bus;

import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.tpforward.agent.forward.ChannelKey;
import org.tpforward.agent.forward.Forward;
import org.tpforward.agent.forward.Forwards;
import org.tpforward.agent.forward.Offering;
import org.tpforward.dbus.DBusErrorException;
import org.tpforward.dbus.Value;
import org.tpforward.socket.Endpoint;
import org.tpforward.telepathy.AccessControl;
import org.tpforward.telepathy.AddressType;
import org.tpforward.telepathy.Addresses;
import org.tpforward.telepathy.Crossing;
import org.tpforward.telepathy.SocketKind;
import org.tpforward.telepathy.TelepathyException;

/**
 * Addresses that a CM gives: of sockets that it was asked for, of D-Bus tubes, of tubes that are
 * there already. Each becomes a local one, or an error that says why not.
 */
final class AddressTranslation {
  private static final Logger log = LoggerFactory.getLogger(AddressTranslation.class);

  private final Forwards forwards;
  private final ChannelFacts facts;

  AddressTranslation(Forwards forwards, ChannelFacts facts) {
    this.forwards = forwards;
    this.facts = facts;
  }

  /** The CM listens: the client gets the local address in the place of the CM's. */
  Outcome accepted(Message message, Awaited.Accepted accepted) throws IOException {
    Forward forward = accepted.forward();
    Value address = message.first("v");
    try {
      if (address == null) {
        throw notA(message, "v");
      }
      forward.bind(facts.target(Addresses.parse(forward.spec().remote().type(), address)));
      return message.with(List.of(new Value.Variant(Addresses.toValue(forward.local()))));
    } catch (TelepathyException e) {
      forward.close();
      return refused(message, forward.spec().use(), forward.spec().channel(), e);
    }
  }

  /** The CM shall give a D-Bus server's address: opens the local listener for it. */
  SocketTranslation.Sent busAddress(Message message, Crossing.BusAddress address, String owner)
      throws IOException, TelepathyException, DBusErrorException {
    List<Value> arguments = new ArrayList<>(message.arguments());
    ChannelKey channel = Arguments.channel(message, owner);
    AccessControl access = AccessControl.CREDENTIALS;
    Outcome outcome = message.unchanged();
    if (address.accessArg() >= 0) {
      SocketKind.of(AddressType.UNIX.code(), Arguments.number(arguments.get(address.accessArg())));
      access = facts.busAccess(channel, Arguments.number(arguments.get(address.accessArg())));
      arguments.set(address.accessArg(), Value.u(access.code()));
      outcome = message.with(arguments);
    }
    Forward forward =
        forwards.accept(
            new Forward.Spec(
                channel,
                Arguments.id(address.idArg(), arguments),
                Crossing.Use.DBUS_TUBE,
                new SocketKind(AddressType.UNIX, AccessControl.LOCALHOST),
                null,
                new SocketKind(AddressType.UNIX, access)),
            null);
    return new SocketTranslation.Sent(new Awaited.BusOffered(forward), outcome);
  }

  /** The CM's D-Bus server listens: the client gets a local address in the place of the CM's. */
  Outcome busOffered(Message message, Awaited.BusOffered offered) throws IOException {
    Forward forward = offered.forward();
    ChannelKey channel = forward.spec().channel();
    try {
      if (!(message.first("s") instanceof Value.Str(String address))) {
        throw notA(message, "s");
      }
      Endpoint target = facts.busTarget(address);
      Optional<Forward> known =
          forwards
              .serving(channel, forward.spec().id(), Crossing.Use.DBUS_TUBE)
              .filter(f -> target.equals(f.target()));
      if (known.isPresent()) {
        forward.close();
      } else {
        forward.bind(target);
      }
      return message.with(
          List.of(Value.of(ChannelFacts.busAddress(known.orElse(forward).local()))));
    } catch (TelepathyException e) {
      forward.close();
      return refused(message, forward.spec().use(), channel, e);
    }
  }

  /** Asks for the address of a stream tube that may have been accepted or offered before. */
  SocketTranslation.Sent tubeAddress(Message message, String owner) throws IOException {
    long id = Arguments.number(message.arguments().get(0));
    return new SocketTranslation.Sent(
        new Awaited.TubeAddress(Arguments.channel(message, owner), id), message.unchanged());
  }

  /** The same local address as before; the original of an offered tube; or a new forward. */
  Outcome addressed(Message message, Awaited.TubeAddress asked) throws IOException {
    try {
      Value type = message.first("uv");
      if (type == null) {
        throw notA(message, "uv");
      }
      Optional<Offering> offering = forwards.offered(asked.channel(), asked.id());
      Optional<Forward> known =
          forwards.serving(asked.channel(), asked.id(), Crossing.Use.STREAM_TUBE);
      Endpoint here;
      if (offering.isPresent()) {
        here = offering.get().spec().service();
      } else if (known.isPresent()) {
        here = known.get().local();
      } else {
        here = forward(asked, Arguments.number(type), message.arguments().get(1)).local();
      }
      return message.with(
          List.of(
              Value.u(Addresses.typeOf(here).code()), new Value.Variant(Addresses.toValue(here))));
    } catch (TelepathyException e) {
      return refused(message, Crossing.Use.STREAM_TUBE, asked.channel(), e);
    }
  }

  /** Somebody else has accepted the tube, where no agent saw it. */
  private Forward forward(Awaited.TubeAddress asked, long typeCode, Value address)
      throws TelepathyException {
    AddressType type =
        AddressType.of(typeCode)
            .orElseThrow(() -> TelepathyException.notAvailable("an unknown address type"));
    Endpoint target = facts.target(Addresses.parse(type, address));
    Forward forward =
        forwards.accept(
            new Forward.Spec(
                asked.channel(),
                asked.id(),
                Crossing.Use.STREAM_TUBE,
                new SocketKind(AddressType.UNIX, AccessControl.LOCALHOST),
                null,
                new SocketKind(type, AccessControl.LOCALHOST)),
            null);
    forward.bind(target);
    return forward;
  }

  private static TelepathyException notA(Message message, String signature) {
    return TelepathyException.notAvailable(
        "its signature is '"
            + message.header().signature()
            + "' where only '"
            + signature
            + "' can be");
  }

  private static Outcome refused(
      Message message, Crossing.Use use, ChannelKey channel, TelepathyException e) {
    log.warn("{} on {}: the CM's address is refused: {}", use, channel.path(), e.getMessage());
    // What is wrong is no argument of the client's.
    boolean notImplemented =
        e.errorName().equals(TelepathyException.notImplemented("").errorName());
    return Errors.instead(
        message.header(),
        notImplemented ? e.errorName() : TelepathyException.notAvailable("").errorName(),
        "tpforward refuses the CM's address: " + e.text());
  }
}
