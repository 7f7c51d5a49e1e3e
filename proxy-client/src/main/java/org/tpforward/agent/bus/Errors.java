package org.tpforward.agent.bus;

import java.util.List;
import org.tpforward.dbus.Body;
import org.tpforward.dbus.Header;
import org.tpforward.dbus.MessageType;
import org.tpforward.dbus.Value;

/** Error messages that the agent writes in a remote peer's place. */
final class Errors {
  /** As every reply has it (D-Bus specification, "Message Format", flags). */
  private static final int NO_REPLY_EXPECTED = 1;

  private Errors() {}

  /**
   * The answer to a call that the agent does not send on, if its sender wants one.
   *
   * @param sender who would have answered: clients match a reply by its serial, monitors by this
   */
  static Outcome answer(Header call, String sender, String errorName, String text) {
    if (call.noReplyExpected()) {
      return new Outcome.Dropped();
    }
    byte[] body = Body.encode(call.order(), List.of(Value.of(text)));
    Header.Builder error =
        Header.builder(MessageType.ERROR)
            .order(call.order())
            .flags(NO_REPLY_EXPECTED)
            .serial(call.serial())
            .replySerial(call.serial())
            .errorName(errorName)
            .sender(sender)
            .signature("s");
    return new Outcome.Answered(error.build(body.length), body);
  }

  /** An error in the place of a reply that must not reach the client as it is. */
  static Outcome instead(Header reply, String errorName, String text) {
    byte[] body = Body.encode(reply.order(), List.of(Value.of(text)));
    Header.Builder error =
        Header.builder(MessageType.ERROR)
            .order(reply.order())
            .flags(NO_REPLY_EXPECTED)
            .serial(reply.serial())
            .replySerial(reply.replySerial())
            .errorName(errorName)
            .signature("s");
    if (reply.sender() != null) {
      error.sender(reply.sender());
    }
    if (reply.destination() != null) {
      error.destination(reply.destination());
    }
    return new Outcome.Replaced(error.build(body.length), body);
  }
}
