package org.tpforward.server.bus;

import java.io.IOException;
import java.util.List;
import java.util.Objects;
import org.tpforward.dbus.Header;
import org.tpforward.dbus.Value;

/**
 * Calls of a client to the bus itself (D-Bus specification, "Message Bus Messages"): what is not
 * named here is denied, such as BecomeMonitor and UpdateActivationEnvironment. Used by the thread
 * that reads the client.
 */
final class BusMethods {
  private static final String PEER = PolicyRules.BUS + ".Peer";
  private static final String INTROSPECTABLE = PolicyRules.BUS + ".Introspectable";
  private static final String PROPERTIES = PolicyRules.BUS + ".Properties";
  private static final String INVALID_ARGS = Answers.ERROR + "InvalidArgs";

  private final Visible visible;

  BusMethods(Visible visible) {
    this.visible = visible;
  }

  /** What becomes of the call; {@link #reply} says what its reply will mean. */
  Verdict judge(Message message) throws IOException {
    Header call = message.header();
    String member = Objects.requireNonNullElse(call.member(), "");
    return switch (interfaceOf(call, member)) {
      case PolicyRules.BUS -> judge(message, member);
      case PEER ->
          // GetMachineId: machine-id(5) asks not to show it to the network.
          member.equals("Ping") ? Verdict.PASS : denied(call, member);
      case INTROSPECTABLE -> member.equals("Introspect") ? Verdict.PASS : denied(call, member);
      case PROPERTIES ->
          member.equals("Get") || member.equals("GetAll") ? Verdict.PASS : denied(call, member);
      default -> denied(call, member);
    };
  }

  /** What the reply to a call that passes will mean. */
  static Awaited reply(Header call) {
    return switch (Objects.requireNonNullElse(call.member(), "")) {
      case "Hello" -> new Awaited.Hello();
      case "ListNames", "ListActivatableNames" -> new Awaited.NameList();
      default -> Awaited.PLAIN;
    };
  }

  /** Without an interface the bus looks for the member in all of its own. */
  private static String interfaceOf(Header call, String member) {
    String given = call.interfaceName();
    return given != null
        ? given
        : switch (member) {
          case "Ping" -> PEER;
          case "Introspect" -> INTROSPECTABLE;
          case "Get", "GetAll" -> PROPERTIES;
          default -> PolicyRules.BUS;
        };
  }

  private Verdict judge(Message message, String member) throws IOException {
    Header call = message.header();
    return switch (member) {
      case "Hello", "GetId", "ListNames", "ListActivatableNames" -> Verdict.PASS;
      case "AddMatch", "RemoveMatch" -> named(message, "s", this::match);
      case "NameHasOwner" ->
          named(
              message,
              "s",
              (c, name) -> visible.sees(name) ? Verdict.PASS : answer(c, Value.of(false)));
      case "GetNameOwner" -> named(message, "s", (c, name) -> known(c, name, "owner"));
      case "GetConnectionUnixUser" -> named(message, "s", (c, name) -> known(c, name, "UID"));
      case "GetConnectionUnixProcessID" -> named(message, "s", (c, name) -> known(c, name, "PID"));
      case "GetConnectionCredentials" ->
          named(message, "s", (c, name) -> known(c, name, "credentials"));
      case "GetAdtAuditSessionData" ->
          named(message, "s", (c, name) -> known(c, name, "audit session data"));
      case "GetConnectionSELinuxSecurityContext" ->
          named(message, "s", (c, name) -> known(c, name, "security context"));
      case "StartServiceByName" -> named(message, "su", this::start);
      case "RequestName" -> named(message, "su", this::own);
      case "ReleaseName" -> named(message, "s", this::own);
      case "ListQueuedOwners" -> named(message, "s", this::queue);
      default -> denied(call, member);
    };
  }

  private interface Rule {
    Verdict judge(Header call, String argument) throws IOException;
  }

  /** By the call's first argument, a string. */
  private Verdict named(Message message, String signature, Rule rule) throws IOException {
    Header call = message.header();
    if (!call.signature().equals(signature)) {
      return Answers.error(
          call,
          visible.own(),
          INVALID_ARGS,
          call.member() + " takes '" + signature + "', not '" + call.signature() + "'");
    }
    if (message.isTooLong()) {
      return Answers.error(
          call,
          visible.own(),
          Answers.LIMITS_EXCEEDED,
          "a call of " + call.bodyLength() + " bytes to the bus");
    }
    List<Value> arguments = message.arguments();
    return arguments.getFirst() instanceof Value.Str(String first)
        ? rule.judge(call, first)
        : denied(call, "such arguments");
  }

  private Verdict match(Header call, String rule) {
    String problem = MatchRule.problem(rule);
    return problem == null ? Verdict.PASS : denied(call, problem);
  }

  private Verdict known(Header call, String name, String what) throws IOException {
    return visible.sees(name)
        ? Verdict.PASS
        : Answers.error(
            call,
            visible.own(),
            Answers.NAME_HAS_NO_OWNER,
            "Could not get " + what + " of name '" + name + "': no such name");
  }

  private Verdict start(Header call, String name) throws IOException {
    return switch (visible.level(name)) {
      case TALK, OWN -> Verdict.PASS;
      case SEE -> denied(call, "to start " + name);
      case NONE -> Answers.notProvided(call, name, visible.own());
    };
  }

  private Verdict own(Header call, String name) throws IOException {
    return visible.level(name) == Level.OWN ? Verdict.PASS : denied(call, "to own " + name);
  }

  private Verdict queue(Header call, String name) throws IOException {
    return switch (visible.level(name)) {
      case OWN -> Verdict.PASS;
      case SEE, TALK -> denied(call, "to see who waits for " + name);
      case NONE -> known(call, name, "owners");
    };
  }

  private Verdict answer(Header call, Value value) {
    return Answers.reply(call, visible.own(), value);
  }

  private Verdict denied(Header call, String what) {
    return Answers.denied(call, visible.own(), what);
  }
}
