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
import org.tpforward.agent.forward.RemoteLeg;
import org.tpforward.agent.forward.TransferState;
import org.tpforward.agent.link.Link;
import org.tpforward.dbus.DBusErrorException;
import org.tpforward.dbus.ProtocolException;
import org.tpforward.dbus.Value;
import org.tpforward.socket.Endpoint;
import org.tpforward.telepathy.AccessControl;
import org.tpforward.telepathy.Addresses;
import org.tpforward.telepathy.Crossing;
import org.tpforward.telepathy.Crossings;
import org.tpforward.telepathy.Names;
import org.tpforward.telepathy.SocketAbilities;
import org.tpforward.telepathy.SocketKind;
import org.tpforward.telepathy.TelepathyException;

/** Calls by which sockets cross the bus, for one client: each becomes a {@link Forward}. */
final class SocketTranslation {
  private static final Logger log = LoggerFactory.getLogger(SocketTranslation.class);

  private final RemoteNames names;
  private final Link link;
  private final Forwards forwards;
  private final long client;

  /**
   * For one client.
   *
   * @param client the bus client's number
   */
  SocketTranslation(RemoteNames names, Link link, Forwards forwards, long client) {
    this.names = names;
    this.link = link;
    this.forwards = forwards;
    this.client = client;
  }

  /** A call to go on, and the local listener that waits for its reply. */
  record Accepting(Forward forward, Outcome outcome) {}

  /**
   * The CM shall listen and the client connect: opens the local listener, of the kind that the
   * client asked for, before the call goes on, since a CM refuses a second one.
   */
  Accepting accept(Message message, Crossing.Accept accept, String owner)
      throws IOException, TelepathyException, DBusErrorException {
    List<Value> arguments = new ArrayList<>(message.arguments());
    int at = accept.typeArg();
    SocketKind local = SocketKind.of(number(arguments.get(at)), number(arguments.get(at + 1)));
    Endpoint.@Nullable Ip source = source(local, arguments.get(at + 2));
    ChannelKey channel = new ChannelKey(owner, String.valueOf(message.header().path()));
    Value.Dict properties = properties(channel, accept);
    SocketKind remote = remoteKind(cmAbilities(channel, accept, properties));

    long id = accept.idArg() < 0 ? Forward.NO_ID : number(arguments.get(accept.idArg()));
    TransferState transfer =
        accept.use() == Crossing.Use.INCOMING_FILE
            ? transfer(channel, properties, offset(arguments))
            : null;
    Forward forward =
        forwards.accept(
            new Forward.Spec(channel, id, accept.use(), local, source, remote), transfer);

    arguments.set(at, Value.u(remote.type().code()));
    arguments.set(at + 1, Value.u(remote.access().code()));
    if (local.access() != AccessControl.LOCALHOST) {
      // "Ignored" under Localhost (Socket_Access_Control); what was meant for another goes.
      arguments.set(at + 2, new Value.Variant(Value.u(0)));
    }
    return new Accepting(forward, message.with(arguments));
  }

  /** The CM listens: the client gets the local address in the place of the CM's. */
  Outcome accepted(Message message, Awaited.Accepted accepted) throws IOException {
    Forward forward = accepted.forward();
    if (!accepted.owner().equals(message.header().sender())) {
      forward.close();
      throw new ProtocolException(
          "the reply to a call of " + accepted.owner() + " came from somebody else");
    }
    Value address = Translator.first(message, "v");
    try {
      Endpoint target = Addresses.parse(forward.spec().remote().type(), address);
      if (target instanceof Endpoint.Ip ip && !ip.isLoopback()) {
        throw TelepathyException.notAvailable(
            "the CM names " + ip + ", which is not on its own machine");
      }
      forward.bind(target);
      return message.with(List.of(new Value.Variant(Addresses.toValue(forward.local()))));
    } catch (TelepathyException e) {
      forward.close();
      log.warn(
          "{} on {}: the CM's address is refused: {}",
          forward.spec().use(),
          forward.spec().channel().path(),
          e.getMessage());
      return Errors.instead(
          message.header(),
          TelepathyException.notAvailable("").errorName(),
          "tpforward refuses the CM's address: " + e.text());
    }
  }

  private SocketKind remoteKind(SocketAbilities theirs) throws TelepathyException {
    Optional<SocketKind> remote = RemoteLeg.choose(theirs, link.abilities());
    return remote.orElseThrow(() ->
        TelepathyException.notImplemented(
            "the SSH server cannot reach any socket that this CM makes ("
                + theirs.kinds()
                + "); tpforward-server beside the CM reaches Unix sockets under Credentials"
                + " and abstract ones"));
  }

  private Value.Dict properties(ChannelKey channel, Crossing.Accept accept)
      throws IOException, DBusErrorException {
    return accept.interfaceName().equals(Names.TUBES)
        ? new Value.Dict("s", "v", List.of())
        : names.properties(channel, accept.interfaceName());
  }

  private SocketAbilities cmAbilities(
      ChannelKey channel, Crossing.Accept accept, Value.Dict properties)
      throws IOException, DBusErrorException {
    Value abilities;
    if (accept.interfaceName().equals(Names.TUBES)) {
      abilities = names.ask(channel, Names.TUBES, "GetAvailableStreamTubeTypes");
    } else {
      String property =
          Crossing.ofKind(Crossing.AbilityProperty.class, Crossings.TABLE).stream()
              .filter(p -> p.interfaceName().equals(accept.interfaceName()))
              .findFirst()
              .orElseThrow()
              .member();
      abilities = bare(properties.get(property));
    }
    return abilities instanceof Value.Dict map ? SocketAbilities.of(map) : SocketAbilities.NONE;
  }

  private TransferState transfer(ChannelKey channel, Value.Dict properties, long requested) {
    long size =
        bare(properties.get("Size")) instanceof Value.Uint64(long bytes)
            ? bytes // UINT64_MAX says "unknown", and is our -1
            : TransferState.UNKNOWN_SIZE;
    return new TransferState(size, () -> initialOffset(channel, requested), client);
  }

  private long initialOffset(ChannelKey channel, long requested) {
    try {
      Value.Dict now = names.properties(channel, Names.FILE_TRANSFER);
      return bare(now.get("InitialOffset")) instanceof Value.Uint64(long offset)
          ? offset
          : requested;
    } catch (IOException | DBusErrorException e) {
      return requested;
    }
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
    if (bare(parameter) instanceof Value.Uint32(long port) && port > 0 && port < 65536) {
      return new Endpoint.Ip(LocalAddresses.loopback(kind.type()), (int) port);
    }
    return Addresses.ip(parameter);
  }

  private static @Nullable Value bare(@Nullable Value value) {
    return value instanceof Value.Variant(Value inner) ? inner : value;
  }

  private static long number(Value value) {
    return value instanceof Value.Uint32(long number) ? number : -1;
  }
}
