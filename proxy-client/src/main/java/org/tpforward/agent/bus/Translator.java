package org.tpforward.agent.bus;

import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.tpforward.dbus.DBusErrorException;
import org.tpforward.dbus.Header;
import org.tpforward.dbus.MessageType;
import org.tpforward.dbus.ProtocolException;
import org.tpforward.dbus.Value;
import org.tpforward.telepathy.Crossing;
import org.tpforward.telepathy.Crossings;
import org.tpforward.telepathy.Names;
import org.tpforward.telepathy.TelepathyException;

/**
 * Decides what becomes of each message of one bus client. It knows nothing of how messages arrive
 * and leave; all it does with them is in its {@link Outcome}s.
 *
 * <p>Only what comes from or goes to a <em>remote</em> peer is rewritten: a CM that is itself a
 * client of this agent is on the desktop already. And only what is for this client: what a monitor
 * sees is left alone.
 *
 * <p>{@link #fromClient} is called by the one thread that reads the client, {@link #fromBus} by the
 * one that reads the bus; each may block, and so holds back this client's stream in that direction
 * only.
 */
final class Translator {
  private static final Logger log = LoggerFactory.getLogger(Translator.class);

  /** How many calls whose replies matter may be under way: a client of good will has a few. */
  static final int MAX_AWAITED = 4096;

  private static final String BUS = "org.freedesktop.DBus";
  private static final String LIMITS_EXCEEDED = "org.freedesktop.DBus.Error.LimitsExceeded";

  private final RemoteNames names;
  private final AbilityTranslation abilities;
  private final SocketTranslation sockets;
  private final Map<Long, Awaited> awaited = new ConcurrentHashMap<>();
  private volatile @Nullable String uniqueName;
  private volatile boolean monitor;

  Translator(RemoteNames names, AbilityTranslation abilities, SocketTranslation sockets) {
    this.names = names;
    this.abilities = abilities;
    this.sockets = sockets;
  }

  /** The client's unique name, once the reply to Hello has come. */
  @Nullable String uniqueName() {
    return uniqueName;
  }

  /** The client is gone: nothing that it asked for will be taken up. */
  void closed() {
    for (Long serial : List.copyOf(awaited.keySet())) {
      Awaited reply = awaited.remove(serial);
      if (reply != null) {
        sockets.abandoned(reply);
      }
    }
  }

  /**
   * Whether the message may have to wait for the remote bus, the CM or a connection; if not, its
   * translation does not block.
   */
  boolean mayHold(Header header) {
    return switch (header.type()) {
      case METHOD_CALL ->
          isProperties(header)
              || !Crossings.of(header.interfaceName(), header.member(), header.signature())
                  .isEmpty();
      case SIGNAL ->
          !Crossings.of(header.interfaceName(), header.member(), header.signature()).isEmpty();
      case METHOD_RETURN, ERROR, UNKNOWN -> false;
    };
  }

  /** What becomes of a message on its way from the client to the bus. */
  Outcome fromClient(Message message) throws IOException {
    Header header = message.header();
    if (header.type() != MessageType.METHOD_CALL) {
      return Outcome.PASS;
    }
    String destination = header.destination();
    String member = header.member();
    if (destination == null || member == null) {
      return Outcome.PASS;
    }
    if (destination.equals(BUS)) {
      return toTheBus(message, member);
    }
    if (isProperties(header)) {
      return askingForProperties(message, destination, member);
    }
    List<Crossing> crossings = Crossings.of(header.interfaceName(), member, header.signature());
    return crossings.isEmpty() ? Outcome.PASS : crossing(message, destination, crossings);
  }

  /** What becomes of a message on its way from the bus to the client. */
  Outcome fromBus(Message message) throws IOException {
    Header header = message.header();
    return switch (header.type()) {
      case METHOD_RETURN, ERROR -> awaited.isEmpty() ? Outcome.PASS : reply(message);
      case SIGNAL, METHOD_CALL -> arriving(message);
      case UNKNOWN -> Outcome.PASS;
    };
  }

  private Outcome toTheBus(Message message, String member) throws IOException {
    switch (member) {
      case "Hello" -> await(message.header(), new Awaited.Hello());
      case "BecomeMonitor" -> await(message.header(), new Awaited.Monitor());
      default -> {}
    }
    return message.unchanged();
  }

  private static boolean isProperties(Header header) {
    String interfaceName = header.interfaceName();
    if (interfaceName != null && !interfaceName.equals(Names.PROPERTIES)) {
      return false;
    }
    return switch (String.valueOf(header.member())) {
      case "Get" -> header.signature().equals("ss");
      case "GetAll" -> header.signature().equals("s");
      default -> false;
    };
  }

  private Outcome askingForProperties(Message message, String destination, String member)
      throws IOException {
    List<Value> arguments = message.arguments();
    if (!(arguments.get(0) instanceof Value.Str(String interfaceName))
        || !Crossings.hasProperties(interfaceName)
        || isOurs(destination)) {
      return message.unchanged();
    }
    Awaited reply = null;
    if (member.equals("GetAll")) {
      reply = new Awaited.AllProperties(interfaceName);
    } else if (arguments.get(1) instanceof Value.Str(String name)) {
      Crossing.AbilityProperty property = Crossings.ability(interfaceName + "." + name);
      if (property != null) {
        reply = new Awaited.Property(property);
      } else if (Crossings.isNestedProperty(interfaceName, name)) {
        reply = new Awaited.NestedProperty();
      }
    }
    return reply == null || await(message.header(), reply)
        ? message.unchanged()
        : tooMany(message.header());
  }

  private Outcome crossing(Message message, String destination, List<Crossing> crossings)
      throws IOException {
    Header header = message.header();
    String owner = names.ownerOf(destination);
    if (owner == null || names.isOurs(owner)) {
      return message.unchanged();
    }
    Outcome outcome = null;
    List<Crossing.Nested> inReply = new ArrayList<>(1);
    for (Crossing crossing : crossings) {
      switch (crossing) {
        case Crossing.Nested nested -> {
          switch (nested.in()) {
            case CALL -> outcome = abilities.requested(message, nested, owner);
            case REPLY -> inReply.add(nested);
            case ARRIVING -> {}
          }
        }
        // An accept without a reply has no address to rewrite, and leads to no socket.
        case Crossing.Accept accept when header.noReplyExpected() -> {}
        case Crossing.BusAddress address when header.noReplyExpected() -> {}
        case Crossing.Accept accept -> {
          return socket(message, owner, () -> sockets.accept(message, accept, owner));
        }
        case Crossing.BusAddress address -> {
          return socket(message, owner, () -> sockets.busAddress(message, address, owner));
        }
        case Crossing.Offer offer -> {
          return socket(message, owner, () -> sockets.offer(message, offer, owner));
        }
        case Crossing.TubeAddress address -> {
          return socket(message, owner, () -> sockets.tubeAddress(message, owner));
        }
        case Crossing.Abilities a -> {
          if (!await(header, new Awaited.TubeAbilities())) {
            return tooMany(header);
          }
        }
        case Crossing.NewConnection n -> {}
        case Crossing.AbilityProperty p -> {}
        case Crossing.NestedProperty p -> {}
      }
    }
    if (!inReply.isEmpty() && !await(header, new Awaited.Dictionaries(inReply))) {
      return tooMany(header);
    }
    return outcome == null ? message.unchanged() : outcome;
  }

  private Outcome socket(Message message, String owner, SocketTranslation.Call call)
      throws IOException {
    Header header = message.header();
    try {
      SocketTranslation.Sent sent = call.translate();
      if (!await(header, sent.reply())) {
        sockets.abandoned(sent.reply());
        return tooMany(header);
      }
      return sent.outcome();
    } catch (TelepathyException e) {
      log.info("{} is refused: {}", header.member(), e.getMessage());
      return Errors.answer(header, owner, e.errorName(), e.text());
    } catch (DBusErrorException e) {
      return Errors.answer(header, owner, e.errorName(), String.valueOf(e.getMessage()));
    }
  }

  private Outcome reply(Message message) throws IOException {
    Header header = message.header();
    if (!isForUs(header) && uniqueName != null) {
      return Outcome.PASS;
    }
    Awaited reply = awaited.remove(header.replySerial());
    if (reply == null) {
      return Outcome.PASS;
    }
    if (header.type() == MessageType.ERROR) {
      sockets.abandoned(reply);
      return Outcome.PASS;
    }
    if (header.sender() != null && names.isOurs(header.sender())) {
      return Outcome.PASS;
    }
    return switch (reply) {
      case Awaited.Hello hello -> {
        if (first(message, "s") instanceof Value.Str(String name)) {
          uniqueName = name;
        }
        yield message.unchanged();
      }
      case Awaited.Monitor m -> {
        monitor = true;
        yield Outcome.PASS;
      }
      case Awaited.Accepted accepted -> sockets.accepted(message, accepted);
      case Awaited.BusOffered offered -> sockets.busOffered(message, offered);
      case Awaited.Offered offered -> sockets.offered(message, offered);
      case Awaited.TubeAddress address -> sockets.addressed(message, address);
      case Awaited.Dictionaries d -> abilities.inReply(message, d.places());
      case Awaited.Property p -> abilities.property(message, p.property());
      case Awaited.NestedProperty p -> abilities.everywhere(message);
      case Awaited.AllProperties p -> abilities.allProperties(message, p.interfaceName());
      case Awaited.TubeAbilities t -> abilities.tubeTypes(message);
    };
  }

  private Outcome arriving(Message message) throws IOException {
    Header header = message.header();
    List<Crossing> crossings =
        Crossings.of(header.interfaceName(), header.member(), header.signature());
    if (crossings.isEmpty()
        || !isForUs(header)
        || header.sender() == null
        || names.isOurs(header.sender())) {
      return Outcome.PASS;
    }
    for (Crossing crossing : crossings) {
      if (crossing instanceof Crossing.Nested nested && nested.in() == Crossing.In.ARRIVING) {
        return abilities.arriving(message, nested);
      }
      if (crossing instanceof Crossing.NewConnection connection
          && header.type() == MessageType.SIGNAL) {
        return sockets.newConnection(message, connection);
      }
    }
    return Outcome.PASS;
  }

  private boolean isForUs(Header header) {
    String destination = header.destination();
    return !monitor && (destination == null || destination.equals(uniqueName));
  }

  private boolean isOurs(String destination) throws IOException {
    String owner = names.ownerOf(destination);
    return owner != null && names.isOurs(owner);
  }

  /** Whether there was room; a call that wants no reply needs none. */
  private boolean await(Header header, Awaited reply) throws ProtocolException {
    if (header.noReplyExpected()) {
      return true;
    }
    if (awaited.size() >= MAX_AWAITED) {
      return false;
    }
    if (awaited.putIfAbsent(header.serial(), reply) != null) {
      throw new ProtocolException(
          "the client uses serial " + header.serial() + " again before its reply has come");
    }
    return true;
  }

  private static Outcome tooMany(Header header) {
    return Errors.answer(
        header,
        BUS,
        LIMITS_EXCEEDED,
        "tpforward: more than " + MAX_AWAITED + " calls of this client await their replies");
  }

  /** Argument 0 of a message that must have exactly that signature. */
  static Value first(Message message, String signature) throws IOException {
    if (!message.header().signature().equals(signature)) {
      throw new ProtocolException(
          "a reply has the signature '"
              + message.header().signature()
              + "' where only '"
              + signature
              + "' can be");
    }
    return message.arguments().get(0);
  }
}
