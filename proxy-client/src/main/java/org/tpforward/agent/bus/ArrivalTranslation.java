package org.tpforward.agent.bus;

import java.io.IOException;
import java.util.List;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.tpforward.dbus.Header;
import org.tpforward.dbus.MessageType;
import org.tpforward.dbus.ProtocolException;
import org.tpforward.dbus.Value;
import org.tpforward.telepathy.Crossing;
import org.tpforward.telepathy.Crossings;
import org.tpforward.telepathy.TelepathyException;

/**
 * What becomes of the messages that come from the bus for one client. Used by the thread that reads
 * the bus.
 */
final class ArrivalTranslation {
  private static final Logger log = LoggerFactory.getLogger(ArrivalTranslation.class);

  private final RemoteNames names;
  private final AbilityTranslation abilities;
  private final SocketTranslation sockets;
  private final AwaitedReplies replies;
  private final OwnNames own;

  ArrivalTranslation(
      RemoteNames names,
      AbilityTranslation abilities,
      SocketTranslation sockets,
      AwaitedReplies replies,
      OwnNames own) {
    this.names = names;
    this.abilities = abilities;
    this.sockets = sockets;
    this.replies = replies;
    this.own = own;
  }

  Outcome translate(Message message) throws IOException {
    Header header = message.header();
    return switch (header.type()) {
      case METHOD_RETURN, ERROR -> replies.isEmpty() ? Outcome.PASS : reply(message);
      case SIGNAL, METHOD_CALL -> arriving(message);
      case UNKNOWN -> Outcome.PASS;
    };
  }

  private Outcome reply(Message message) throws IOException {
    Header header = message.header();
    if (own.unique() != null && !own.isFor(header)) {
      return Outcome.PASS;
    }
    AwaitedReplies.Call call = replies.take(header.replySerial());
    if (call == null) {
      return Outcome.PASS;
    }
    Awaited reply = call.reply();
    if (header.type() == MessageType.ERROR) {
      // By the bus too: who was called may have left, or may not be allowed.
      sockets.abandoned(reply);
      return Outcome.PASS;
    }
    if (!call.isAnswerOf(header.sender())) {
      return fromSomebodyElse(message, call);
    }
    if (message.isTooLong()) {
      return tooLong(message, reply);
    }
    try {
      return translated(message, reply);
    } catch (IOException | RuntimeException e) {
      sockets.abandoned(reply);
      throw e;
    }
  }

  private Outcome translated(Message message, Awaited reply) throws IOException {
    return switch (reply) {
      case Awaited.Hello hello -> {
        if (message.first("s") instanceof Value.Str(String name)) {
          own.hello(name);
        }
        yield message.unchanged();
      }
      case Awaited.Monitor m -> {
        own.becomeMonitor();
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

  private Outcome fromSomebodyElse(Message message, AwaitedReplies.Call call)
      throws ProtocolException {
    sockets.abandoned(call.reply());
    if (call.isBound()) {
      throw new ProtocolException(
          "the reply to a call of "
              + call.destination()
              + " came from "
              + message.header().sender());
    }
    // A well-known name changed hands while the call was on its way.
    return call.reply().isAddress()
        ? Errors.instead(
            message.header(),
            TelepathyException.notAvailable("").errorName(),
            "tpforward: " + call.destination() + " is not who it was when it was called")
        : message.unchanged();
  }

  private Outcome tooLong(Message message, Awaited reply) {
    int length = message.header().bodyLength();
    if (reply.isAddress()) {
      sockets.abandoned(reply);
      return Errors.instead(
          message.header(),
          TelepathyException.notAvailable("").errorName(),
          "tpforward refuses the CM's reply of " + length + " bytes");
    }
    log.debug("a reply of {} bytes passes with the abilities that it may hold", length);
    return Outcome.PASS;
  }

  private Outcome arriving(Message message) throws IOException {
    Header header = message.header();
    if (own.concerns(header) && !message.isTooLong()) {
      own.learn(message);
      return message.unchanged();
    }
    List<Crossing> crossings =
        Crossings.of(header.interfaceName(), header.member(), header.signature());
    if (crossings.isEmpty()
        || message.isTooLong()
        || !own.isFor(header)
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
}
