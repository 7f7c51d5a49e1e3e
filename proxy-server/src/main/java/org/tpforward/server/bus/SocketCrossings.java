package org.tpforward.server.bus;

import java.io.IOException;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.tpforward.dbus.BusAddress;
import org.tpforward.dbus.Header;
import org.tpforward.dbus.MessageType;
import org.tpforward.dbus.ProtocolException;
import org.tpforward.dbus.Value;
import org.tpforward.socket.Endpoint;
import org.tpforward.telepathy.AccessControl;
import org.tpforward.telepathy.AddressType;
import org.tpforward.telepathy.Addresses;
import org.tpforward.telepathy.Crossing;
import org.tpforward.telepathy.Crossings;
import org.tpforward.telepathy.TelepathyException;

/**
 * Reads the calls by which sockets cross the bus, and the replies to them; {@link HandedOut} has
 * the rules. {@link #outgoing} is called by the thread that reads the client, {@link #replied} by
 * the one that reads the bus; both may block for the bus.
 */
final class SocketCrossings {
  private static final Logger log = LoggerFactory.getLogger(SocketCrossings.class);

  private final HandedOut handedOut;

  SocketCrossings(HandedOut handedOut) {
    this.handedOut = handedOut;
  }

  /** Whether {@link #outgoing} would look into the call. */
  static boolean concerns(Header call) {
    return !Crossings.of(call.interfaceName(), call.member(), call.signature()).isEmpty()
        || isOffer(call);
  }

  /** Whether a CM might take it for an offer, be its signature right or not. */
  private static boolean isOffer(Header call) {
    return Crossing.ofKind(Crossing.Offer.class, Crossings.TABLE).stream()
        .anyMatch(o ->
            o.member().equals(call.member())
                && (call.interfaceName() == null
                    || o.interfaceName().equals(call.interfaceName())));
  }

  /**
   * A call that is about to go to a peer.
   *
   * @return what its reply will mean
   * @throws TelepathyException what the client is answered instead
   * @throws ProtocolException if the arguments are malformed
   */
  Awaited outgoing(Message message) throws IOException, TelepathyException {
    Header call = message.header();
    List<Crossing> crossings = Crossings.of(call.interfaceName(), call.member(), call.signature());
    for (Crossing crossing : crossings) {
      switch (crossing) {
        case Crossing.Offer offer -> {
          return offer(message, offer);
        }
        case Crossing.Accept accept -> {
          return isAnswered(message) ? accept(message, accept) : Awaited.PLAIN;
        }
        case Crossing.BusAddress address -> {
          return isAnswered(message) ? busAddress(message, address) : Awaited.PLAIN;
        }
        case Crossing.TubeAddress address -> {
          return isAnswered(message)
              ? new Awaited.TubeAddress(claim(call, number(message.arguments().getFirst())))
              : Awaited.PLAIN;
        }
        default -> {}
      }
    }
    if (crossings.isEmpty() && isOffer(call) && !isToOurs(call)) {
      throw TelepathyException.invalidArgument(
          "tpforward-server knows no " + call.member() + " with '" + call.signature() + "'");
    }
    return Awaited.PLAIN;
  }

  /** Without a reply nothing is handed out; and no such call is long. */
  private static boolean isAnswered(Message message) {
    return !message.header().noReplyExpected() && !message.isTooLong();
  }

  private Awaited accept(Message message, Crossing.Accept accept) throws IOException {
    List<Value> arguments = message.arguments();
    Optional<AddressType> type = AddressType.of(number(arguments.get(accept.typeArg())));
    Optional<AccessControl> access = AccessControl.of(number(arguments.get(accept.typeArg() + 1)));
    if (type.isEmpty() || access.isEmpty()) {
      return Awaited.PLAIN; // The CM will refuse it.
    }
    return new Awaited.Accepted(
        claim(message.header(), tube(accept.idArg(), arguments)), type.get(), access.get());
  }

  private Awaited busAddress(Message message, Crossing.BusAddress address) throws IOException {
    List<Value> arguments = message.arguments();
    AccessControl access =
        address.accessArg() < 0
            ? AccessControl.CREDENTIALS
            : AccessControl.of(number(arguments.get(address.accessArg())))
                .orElse(AccessControl.CREDENTIALS);
    return new Awaited.BusAddress(
        claim(message.header(), tube(address.idArg(), arguments)), access);
  }

  private Awaited offer(Message message, Crossing.Offer offer)
      throws IOException, TelepathyException {
    Header call = message.header();
    if (isToOurs(call)) {
      return Awaited.PLAIN; // On the client's own machine already.
    }
    if (message.isTooLong()) {
      throw TelepathyException.invalidArgument(
          "tpforward-server passes no offer of " + call.bodyLength() + " bytes");
    }
    List<Value> arguments = message.arguments();
    AddressType type =
        AddressType.of(number(arguments.get(offer.typeArg())))
            .orElseThrow(() -> TelepathyException.invalidArgument("no such socket address type"));
    Endpoint endpoint = Addresses.parse(type, arguments.get(offer.typeArg() + 1));
    if (!handedOut.isListening(endpoint)) {
      throw TelepathyException.invalidArgument(
          "tpforward-server does not listen at "
              + endpoint
              + " for you: ask it to (ssh -R, or tpforward's agent) before you offer it");
    }
    Optional<String> owner = handedOut.names().ownerOf(String.valueOf(call.destination()));
    if (owner.isEmpty() || handedOut.isOurs(owner.get())) {
      return Awaited.PLAIN; // Nobody is there to connect.
    }
    Grants.Claim claim = claim(call, Grants.NO_TUBE);
    try {
      Grants.Entry entry =
          handedOut.grant(
              claim,
              endpoint,
              AccessControl.of(number(arguments.get(offer.typeArg() + 2)))
                  .orElse(AccessControl.LOCALHOST),
              owner.get(),
              String.valueOf(call.path()),
              Grants.Listener.CLIENT);
      if (entry == null) {
        throw TelepathyException.notAvailable(
            "tpforward-server has no room for the offer, or its CM has gone");
      }
      return new Awaited.Offered(claim, entry, offer.repliesId());
    } catch (IOException | TelepathyException | RuntimeException e) {
      handedOut.grants().release(claim);
      throw e;
    }
  }

  /** Under a well-known name it might be another's by the time the call arrives. */
  private boolean isToOurs(Header call) {
    String destination = String.valueOf(call.destination());
    return destination.startsWith(":") && handedOut.isOurs(destination);
  }

  /** The reply has come from who was called; whatever is handed out is so when this returns. */
  void replied(Awaited awaited, Message reply) throws IOException {
    Header header = reply.header();
    boolean isReturn =
        header.type() == MessageType.METHOD_RETURN && header.bodyLength() <= Message.MAX_CALL;
    try {
      switch (awaited) {
        case Awaited.Accepted a when isReturn && header.signature().equals("v") ->
            handOut(a.claim(), header, a.type(), reply.arguments().getFirst(), a.access());
        case Awaited.BusAddress b when isReturn && header.signature().equals("s") ->
            handOutBus(b, header, reply.arguments().getFirst());
        case Awaited.TubeAddress t when isReturn && header.signature().equals("uv") -> {
          List<Value> arguments = reply.arguments();
          AddressType type = AddressType.of(number(arguments.get(0))).orElse(null);
          if (type != null) {
            handOut(t.claim(), header, type, arguments.get(1), AccessControl.LOCALHOST);
          }
        }
        case Awaited.Offered o when header.type() == MessageType.ERROR ->
            handedOut.grants().remove(o.entry());
        case Awaited.Offered o when o.repliesId() && isReturn && header.signature().equals("u") ->
            handedOut.grants().tube(o.claim(), o.entry(), number(reply.arguments().getFirst()));
        default -> {}
      }
    } finally {
      abandoned(awaited);
    }
  }

  /** Nothing more will come of the call. An offer stands all the same: the CM may have taken it. */
  void abandoned(Awaited awaited) {
    switch (awaited) {
      case Awaited.Accepted a -> handedOut.grants().release(a.claim());
      case Awaited.BusAddress b -> handedOut.grants().release(b.claim());
      case Awaited.TubeAddress t -> handedOut.grants().release(t.claim());
      case Awaited.Offered o -> handedOut.grants().release(o.claim());
      case Awaited.Plain p -> {}
      case Awaited.Hello h -> {}
      case Awaited.NameList n -> {}
    }
  }

  private void handOutBus(Awaited.BusAddress awaited, Header reply, Value addresses)
      throws IOException {
    try {
      for (BusAddress address : BusAddress.parse(((Value.Str) addresses).value())) {
        Endpoint endpoint = Addresses.ofBus(address).orElse(null);
        if (endpoint != null) {
          grant(awaited.claim(), reply, endpoint, awaited.access());
        }
      }
    } catch (ProtocolException e) {
      log.debug("{} gives no D-Bus address: {}", reply.sender(), e.getMessage());
    }
  }

  private void handOut(
      Grants.Claim claim, Header reply, AddressType type, Value address, AccessControl access)
      throws IOException {
    try {
      grant(claim, reply, Addresses.parse(type, address), access);
    } catch (TelepathyException e) {
      log.debug("{} gives no address: {}", reply.sender(), e.getMessage());
    }
  }

  private void grant(Grants.Claim claim, Header reply, Endpoint endpoint, AccessControl access)
      throws IOException {
    String owner = Objects.requireNonNull(reply.sender());
    var _ = handedOut.grant(claim, endpoint, access, owner, claim.path(), Grants.Listener.CM);
  }

  private Grants.Claim claim(Header call, long tube) {
    return handedOut.grants().claim(String.valueOf(call.path()), tube);
  }

  private static long tube(int idArg, List<Value> arguments) {
    return idArg < 0 ? Grants.NO_TUBE : number(arguments.get(idArg));
  }

  /** A {@code u}; -1 for any other value. */
  private static long number(@Nullable Value value) {
    return value instanceof Value.Uint32(long number) ? number : -1;
  }
}
