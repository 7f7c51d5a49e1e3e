package org.tpforward.server.bus;

import java.io.IOException;
import java.util.Objects;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.tpforward.dbus.Header;
import org.tpforward.telepathy.TelepathyException;

/** Judges what a client sends. Used by the thread that reads it; may block for the bus. */
final class ClientFilter {
  private static final Logger log = LoggerFactory.getLogger(ClientFilter.class);

  private final Visible visible;
  private final BusMethods busMethods;
  private final SocketCrossings sockets;
  private final Outstanding outstanding;
  private final Unanswered unanswered;

  ClientFilter(
      Visible visible, SocketCrossings sockets, Outstanding outstanding, Unanswered unanswered) {
    this.visible = visible;
    this.busMethods = new BusMethods(visible);
    this.sockets = sockets;
    this.outstanding = outstanding;
    this.unanswered = unanswered;
  }

  /** Whether {@link #judge} may wait for long, so that what was passed before must go out. */
  boolean mayHold(Header header) {
    String destination = header.destination();
    return destination != null
        && (!visible.levelAsKnown(destination).atLeast(Level.TALK)
            || SocketCrossings.concerns(header));
  }

  Verdict judge(Message message) throws IOException {
    Header header = message.header();
    Verdict verdict =
        header.unixFds() > 0
            ? descriptors(header)
            : switch (header.type()) {
              case METHOD_CALL -> call(message);
              case SIGNAL -> signal(header);
              case METHOD_RETURN, ERROR ->
                  unanswered.remove(header.destination(), header.replySerial())
                      ? Verdict.PASS
                      : Verdict.DROP;
              case UNKNOWN -> Verdict.DROP;
            };
    if (!(verdict instanceof Verdict.Pass)) {
      log.debug("not passed on: {}", header);
    }
    return verdict;
  }

  private Verdict descriptors(Header header) {
    return switch (header.type()) {
      case METHOD_CALL ->
          Answers.error(
              header,
              visible.own(),
              Answers.ERROR + "NotSupported",
              "no file descriptor passes through SSH");
      default -> Verdict.DROP;
    };
  }

  /** A broadcast is nobody's in particular; its receivers asked for it. */
  private Verdict signal(Header header) throws IOException {
    String destination = header.destination();
    return destination == null || visible.level(destination).atLeast(Level.TALK)
        ? Verdict.PASS
        : Verdict.DROP;
  }

  private Verdict call(Message message) throws IOException {
    Header header = message.header();
    String destination = Objects.requireNonNullElse(header.destination(), PolicyRules.BUS);
    boolean isBus = destination.equals(PolicyRules.BUS);
    Verdict verdict = isBus ? busMethods.judge(message) : toPeer(message, destination);
    if (!(verdict instanceof Verdict.Pass)) {
      return verdict;
    }
    if (outstanding.isFull()) {
      return Answers.error(
          header,
          visible.own(),
          Answers.LIMITS_EXCEEDED,
          Outstanding.MAX + " calls of this connection wait for their replies");
    }
    Awaited reply;
    try {
      reply = isBus ? BusMethods.reply(header) : sockets.outgoing(message);
    } catch (TelepathyException e) {
      log.debug("{} of {} is refused: {}", header.member(), visible.own(), e.getMessage());
      return Answers.error(header, visible.own(), e.errorName(), e.text());
    }
    outstanding.add(header, reply);
    return Verdict.PASS;
  }

  private Verdict toPeer(Message message, String destination) throws IOException {
    Header header = message.header();
    return switch (visible.level(destination)) {
      case TALK, OWN -> Verdict.PASS;
      case SEE ->
          visible.allows(destination, header)
              ? Verdict.PASS
              : Answers.denied(
                  header, visible.own(), "to call " + header.member() + " of " + destination);
      case NONE -> Answers.absent(header, destination, visible.own());
    };
  }
}
