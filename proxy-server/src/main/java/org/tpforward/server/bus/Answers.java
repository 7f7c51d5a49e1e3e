package org.tpforward.server.bus;

import java.util.List;
import org.jspecify.annotations.Nullable;
import org.tpforward.dbus.Body;
import org.tpforward.dbus.Header;
import org.tpforward.dbus.MessageType;
import org.tpforward.dbus.Value;

/**
 * Replies in the place of the bus, or of a peer, to calls that are not passed on. For a name that
 * is hidden they are what dbus-daemon says of one that does not exist.
 */
final class Answers {
  static final String ERROR = "org.freedesktop.DBus.Error.";
  static final String ACCESS_DENIED = ERROR + "AccessDenied";
  static final String LIMITS_EXCEEDED = ERROR + "LimitsExceeded";
  static final String NAME_HAS_NO_OWNER = ERROR + "NameHasNoOwner";
  static final String SERVICE_UNKNOWN = ERROR + "ServiceUnknown";

  private Answers() {}

  /** A call to a name that is hidden. */
  static Verdict absent(Header call, String destination, @Nullable String caller) {
    return call.noAutoStart()
        ? error(call, caller, NAME_HAS_NO_OWNER, "Name \"" + destination + "\" does not exist")
        : notProvided(call, destination, caller);
  }

  /** A name that is hidden is to be started. */
  static Verdict notProvided(Header call, String name, @Nullable String caller) {
    return error(
        call,
        caller,
        SERVICE_UNKNOWN,
        "The name " + name + " was not provided by any .service files");
  }

  /** The policy does not allow it. */
  static Verdict denied(Header call, @Nullable String caller, String what) {
    return error(call, caller, ACCESS_DENIED, "tpforward-server does not allow " + what);
  }

  /**
   * An error, if one is wanted.
   *
   * @param caller the unique name of who called, null if it has none yet
   */
  static Verdict error(Header call, @Nullable String caller, String errorName, String text) {
    return answer(call, Header.errorTo(call, errorName), caller, List.of(Value.of(text)));
  }

  /** A reply, if one is wanted. */
  static Verdict reply(Header call, @Nullable String caller, Value value) {
    return answer(call, Header.returnTo(call), caller, List.of(value));
  }

  private static Verdict answer(
      Header call, Header.Builder header, @Nullable String caller, List<Value> values) {
    if (call.noReplyExpected()) {
      return Verdict.DROP;
    }
    byte[] body = Body.encode(call.order(), values);
    return new Verdict.Answer(
        header
            .serial(call.serial())
            .sender(PolicyRules.BUS)
            .destination(caller)
            .signature(Body.signature(values))
            .build(body.length),
        body);
  }

  /** The same reply with other arguments. */
  static Verdict instead(Header reply, List<Value> values) {
    byte[] body = Body.encode(reply.order(), values);
    return new Verdict.Instead(reply.withBodyLength(body.length), body);
  }

  /** An error in the place of a reply. */
  static Verdict insteadError(Header reply, String errorName, String text) {
    List<Value> values = List.of(Value.of(text));
    byte[] body = Body.encode(reply.order(), values);
    return new Verdict.Instead(
        Header.builder(MessageType.ERROR)
            .order(reply.order())
            .flags(reply.flags())
            .serial(reply.serial())
            .replySerial(reply.replySerial())
            .errorName(errorName)
            .sender(reply.sender())
            .destination(reply.destination())
            .signature("s")
            .build(body.length),
        body);
  }

  /** To a peer whose call does not reach the client. */
  static Verdict tooMany(Header call, int max) {
    if (call.noReplyExpected()) {
      return Verdict.DROP;
    }
    byte[] body =
        Body.encode(call.order(), List.of(Value.of(max + " calls of this client are unanswered")));
    return new Verdict.Answer(
        Header.errorTo(call, LIMITS_EXCEEDED)
            .serial(call.serial())
            .signature("s")
            .build(body.length),
        body);
  }
}
