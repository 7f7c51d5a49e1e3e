package org.tpforward.agent.bus;

import java.io.IOException;
import java.net.SocketTimeoutException;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.tpforward.dbus.DBusErrorException;
import org.tpforward.dbus.Header;
import org.tpforward.dbus.MessageType;
import org.tpforward.dbus.Value;
import org.tpforward.telepathy.Crossing;
import org.tpforward.telepathy.Crossings;
import org.tpforward.telepathy.TelepathyException;

/** What becomes of one client's calls on their way to the bus. Used by the thread that reads it. */
final class CallTranslation {
  private static final Logger log = LoggerFactory.getLogger(CallTranslation.class);

  private static final String BUS = "org.freedesktop.DBus";
  private static final String LIMITS_EXCEEDED = "org.freedesktop.DBus.Error.LimitsExceeded";
  private static final String NO_REPLY = "org.freedesktop.DBus.Error.NoReply";

  private final RemoteNames names;
  private final AbilityTranslation abilities;
  private final SocketTranslation sockets;
  private final AwaitedReplies replies;

  CallTranslation(
      RemoteNames names,
      AbilityTranslation abilities,
      SocketTranslation sockets,
      AwaitedReplies replies) {
    this.names = names;
    this.abilities = abilities;
    this.sockets = sockets;
    this.replies = replies;
  }

  Outcome translate(Message message) throws IOException {
    Header header = message.header();
    String destination = header.destination();
    String member = header.member();
    if (header.type() != MessageType.METHOD_CALL || destination == null || member == null) {
      return Outcome.PASS;
    }
    try {
      if (destination.equals(BUS)) {
        return toTheBus(message, member);
      }
      if (Translator.isProperties(header)) {
        return askingForProperties(message, destination, member);
      }
      List<Crossing> crossings = Crossings.of(header.interfaceName(), member, header.signature());
      return crossings.isEmpty() ? Outcome.PASS : crossing(message, destination, crossings);
    } catch (SocketTimeoutException e) {
      log.info("{} is not sent on: {}", member, e.getMessage());
      return Errors.answer(header, BUS, NO_REPLY, "tpforward: " + e.getMessage());
    }
  }

  private Outcome toTheBus(Message message, String member) throws IOException {
    return switch (member) {
      case "Hello" -> awaited(message, BUS, BUS, new Awaited.Hello());
      case "BecomeMonitor" -> awaited(message, BUS, BUS, new Awaited.Monitor());
      default -> Outcome.PASS;
    };
  }

  private Outcome askingForProperties(Message message, String destination, String member)
      throws IOException {
    if (message.isTooLong()) {
      return Outcome.PASS; // No property has such a name.
    }
    List<Value> arguments = message.arguments();
    Awaited reply = null;
    if (arguments.get(0) instanceof Value.Str(String interfaceName)
        && Crossings.hasProperties(interfaceName)) {
      if (member.equals("GetAll")) {
        reply = new Awaited.AllProperties(interfaceName);
      } else if (arguments.get(1) instanceof Value.Str(String name)) {
        reply = property(interfaceName, name);
      }
    }
    if (reply == null) {
      return message.unchanged();
    }
    String owner = names.ownerOf(destination);
    return owner != null && names.isOurs(owner)
        ? message.unchanged()
        : awaited(message, destination, owner, reply);
  }

  private static @Nullable Awaited property(String interfaceName, String name) {
    Crossing.AbilityProperty property = Crossings.ability(interfaceName + "." + name);
    if (property != null) {
      return new Awaited.Property(property);
    }
    return Crossings.isNestedProperty(interfaceName, name) ? new Awaited.NestedProperty() : null;
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
            case CALL ->
                outcome = message.isTooLong() ? null : abilities.requested(message, nested, owner);
            case REPLY -> inReply.add(nested);
            case ARRIVING -> {}
          }
        }
        // An accept without a reply has no address to rewrite, and leads to no socket.
        case Crossing.Accept accept when header.noReplyExpected() -> {}
        case Crossing.BusAddress address when header.noReplyExpected() -> {}
        case Crossing.TubeAddress address when header.noReplyExpected() -> {}
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
          return awaited(message, destination, owner, new Awaited.TubeAbilities());
        }
        case Crossing.NewConnection n -> {}
        case Crossing.AbilityProperty p -> {}
        case Crossing.NestedProperty p -> {}
      }
    }
    Outcome sent = outcome == null ? message.unchanged() : outcome;
    return inReply.isEmpty()
        ? sent
        : awaited(message, destination, owner, new Awaited.Dictionaries(inReply), sent);
  }

  private Outcome socket(Message message, String owner, SocketTranslation.Call call)
      throws IOException {
    Header header = message.header();
    if (message.isTooLong()) {
      return Errors.answer(
          header,
          owner,
          LIMITS_EXCEEDED,
          "tpforward: the call has " + header.bodyLength() + " bytes");
    }
    message.arguments(); // What is malformed here is the client's fault, and ends its connection.
    try {
      SocketTranslation.Sent sent = call.translate();
      return awaited(
          message, String.valueOf(header.destination()), owner, sent.reply(), sent.outcome());
    } catch (TelepathyException e) {
      log.info("{} is refused: {}", header.member(), e.getMessage());
      return Errors.answer(header, owner, e.errorName(), e.text());
    } catch (DBusErrorException e) {
      if (header.interfaceName() == null) {
        return message.unchanged(); // The CM does not know the interface that we took it for.
      }
      return Errors.answer(header, owner, e.errorName(), String.valueOf(e.getMessage()));
    }
  }

  private Outcome awaited(
      Message message, String destination, @Nullable String owner, Awaited reply)
      throws IOException {
    return awaited(message, destination, owner, reply, message.unchanged());
  }

  /** The call goes on as {@code sent}, and its reply will be known. */
  private Outcome awaited(
      Message message, String destination, @Nullable String owner, Awaited reply, Outcome sent)
      throws IOException {
    return replies.add(message.header(), new AwaitedReplies.Call(reply, destination, owner))
        ? sent
        : Errors.answer(
            message.header(),
            BUS,
            LIMITS_EXCEEDED,
            "tpforward: " + AwaitedReplies.MAX + " calls of this client await their replies");
  }
}
