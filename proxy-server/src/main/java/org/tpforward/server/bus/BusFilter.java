package org.tpforward.server.bus;

import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.tpforward.dbus.Header;
import org.tpforward.dbus.MessageType;
import org.tpforward.dbus.ProtocolException;
import org.tpforward.dbus.Value;

/**
 * Judges what the bus sends to a client. Used by the thread that reads the bus; may block for the
 * server's own connection to it.
 */
final class BusFilter {
  private static final Logger log = LoggerFactory.getLogger(BusFilter.class);

  private final Visible visible;
  private final HandedOut handedOut;
  private final SocketCrossings sockets;
  private final Outstanding outstanding;
  private final Unanswered unanswered;

  BusFilter(
      Visible visible,
      HandedOut handedOut,
      SocketCrossings sockets,
      Outstanding outstanding,
      Unanswered unanswered) {
    this.visible = visible;
    this.handedOut = handedOut;
    this.sockets = sockets;
    this.outstanding = outstanding;
    this.unanswered = unanswered;
  }

  /** Whether {@link #judge} may wait for long, so that what was passed before must go out. */
  boolean mayHold(Header header) {
    return switch (header.type()) {
      case METHOD_RETURN, ERROR -> {
        Outstanding.Call call = outstanding.get(header.replySerial());
        yield call != null && !(call.reply() instanceof Awaited.Plain);
      }
      case SIGNAL ->
          "NameOwnerChanged".equals(header.member())
              || !visible.levelAsKnown(String.valueOf(header.sender())).atLeast(Level.TALK);
      case METHOD_CALL, UNKNOWN -> false;
    };
  }

  Verdict judge(Message message) throws IOException {
    Header header = message.header();
    String sender = header.sender();
    Verdict verdict =
        header.unixFds() > 0
            ? Verdict.DROP
            : switch (header.type()) {
              case METHOD_RETURN, ERROR -> reply(message, sender == null ? "" : sender);
              case METHOD_CALL -> sender == null ? Verdict.DROP : call(header, sender);
              case SIGNAL -> sender == null ? Verdict.DROP : signal(message, sender);
              case UNKNOWN -> Verdict.DROP;
            };
    if (!(verdict instanceof Verdict.Pass)) {
      log.debug("not passed to the client: {}", header);
    }
    return verdict;
  }

  private Verdict call(Header header, String sender) {
    visible.heardFrom(sender);
    return unanswered.add(header, sender) ? Verdict.PASS : Answers.tooMany(header, Unanswered.MAX);
  }

  private Verdict signal(Message message, String sender) throws IOException {
    Header header = message.header();
    if (sender.equals(PolicyRules.BUS)) {
      return "NameOwnerChanged".equals(header.member()) ? ownerChanged(message) : Verdict.PASS;
    }
    if (header.destination() != null) {
      visible.heardFrom(sender);
      return Verdict.PASS;
    }
    return visible.level(sender).atLeast(Level.TALK) ? Verdict.PASS : Verdict.DROP;
  }

  /** Of unique names only the end is told: at its begin a connection owns nothing to be seen by. */
  private Verdict ownerChanged(Message message) throws IOException {
    boolean isSeen =
        message.header().signature().equals("sss")
            && !message.isTooLong()
            && message.arguments().get(0) instanceof Value.Str(String name)
            && message.arguments().get(2) instanceof Value.Str(String now)
            && (now.isEmpty() || !name.startsWith(":"))
            && visible.sees(name);
    return isSeen ? Verdict.PASS : Verdict.DROP;
  }

  private Verdict reply(Message message, String sender) throws IOException {
    Header header = message.header();
    Outstanding.Call call = outstanding.get(header.replySerial());
    if (call == null || !isAnswer(header, call, sender)) {
      return Verdict.DROP;
    }
    outstanding.remove(header.replySerial());
    boolean isReturn = header.type() == MessageType.METHOD_RETURN;
    switch (call.reply()) {
      case Awaited.Plain p -> {}
      case Awaited.Hello h -> {
        if (isReturn) {
          hello(message);
        }
      }
      case Awaited.NameList n -> {
        if (isReturn) {
          return seenOf(message);
        }
      }
      default -> sockets.replied(call.reply(), message);
    }
    return Verdict.PASS;
  }

  /** Whether it comes from who was called; the bus itself may say that this failed. */
  private boolean isAnswer(Header header, Outstanding.Call call, String sender) throws IOException {
    String destination = call.destination();
    boolean toBus = destination == null || destination.equals(PolicyRules.BUS);
    if (sender.equals(PolicyRules.BUS) || (sender.isEmpty() && destination == null)) {
      return toBus || header.type() == MessageType.ERROR;
    }
    return destination != null && !toBus && visible.isOwner(destination, sender);
  }

  /** The name is known here, as one of this server's own, before the client can use it. */
  private void hello(Message message) throws IOException {
    if (!message.header().signature().equals("s")
        || message.isTooLong()
        || !(message.arguments().getFirst() instanceof Value.Str(String name))
        || !name.startsWith(":")) {
      throw new ProtocolException("the bus's reply to Hello is no unique name");
    }
    if (visible.own() == null) {
      visible.own(name);
      handedOut.joined(name);
    }
  }

  private Verdict seenOf(Message message) throws IOException {
    Header header = message.header();
    if (!header.signature().equals("as") || message.isTooLong()) {
      return Answers.insteadError(
          header, Answers.LIMITS_EXCEEDED, "a list of " + header.bodyLength() + " bytes");
    }
    if (!(message.arguments().getFirst() instanceof Value.Array all)) {
      throw new ProtocolException("the bus's list of names is none");
    }
    handedOut.names().catchUp(); // Once for all of them.
    List<Value> seen = new ArrayList<>();
    for (Value name : all.elements()) {
      if (name instanceof Value.Str(String s) && visible.levelAsKnown(s).atLeast(Level.SEE)) {
        seen.add(name);
      }
    }
    return Answers.instead(header, List.of(new Value.Array("s", seen)));
  }
}
