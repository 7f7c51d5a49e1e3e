package org.tpforward.agent;

import java.time.DateTimeException;
import java.time.Instant;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/** {@link AgentStatus} to JSON and back. */
final class AgentStatusJson {
  private AgentStatusJson() {}

  static Json of(AgentStatus.Link link) {
    Map<String, Json> members = new LinkedHashMap<>();
    members.put("state", Json.of(link.state()));
    members.put("since", Json.of(link.since().toString()));
    members.put("reason", Json.of(link.reason()));
    return new Json.Obj(members);
  }

  static Json of(AgentStatus.Listener listener) {
    Map<String, Json> members = new LinkedHashMap<>();
    members.put("address", Json.of(listener.address()));
    members.put("purpose", Json.of(listener.purpose()));
    return new Json.Obj(members);
  }

  static Json of(AgentStatus.Forward forward) {
    Map<String, Json> members = new LinkedHashMap<>();
    members.put("kind", Json.of(forward.kind()));
    members.put("channel", Json.of(forward.channel()));
    members.put("local", Json.of(forward.local()));
    members.put("remote", Json.of(forward.remote()));
    members.put("streams", Json.of(forward.streams()));
    members.put("bytesDown", Json.of(forward.bytesDown()));
    members.put("bytesUp", Json.of(forward.bytesUp()));
    return new Json.Obj(members);
  }

  static AgentStatus status(Json json) {
    return new AgentStatus(
        string(json, "name"),
        number(json, "pid"),
        string(json, "destination"),
        string(json, "busAddress"),
        stringOrNull(json, "remoteBus"),
        link(member(json, "link")),
        count(json, "busClients"),
        list(json, "listeners", AgentStatusJson::listener),
        count(json, "openChannels"),
        number(json, "channelsOpened"),
        number(json, "bytesDown"),
        number(json, "bytesUp"),
        list(json, "forwards", AgentStatusJson::forward));
  }

  private static AgentStatus.Link link(Json json) {
    try {
      return new AgentStatus.Link(
          string(json, "state"),
          Instant.parse(string(json, "since")),
          stringOrNull(json, "reason"));
    } catch (DateTimeException e) {
      throw new IllegalArgumentException("since is no time", e);
    }
  }

  private static AgentStatus.Listener listener(Json json) {
    return new AgentStatus.Listener(string(json, "address"), string(json, "purpose"));
  }

  private static AgentStatus.Forward forward(Json json) {
    return new AgentStatus.Forward(
        string(json, "kind"),
        string(json, "channel"),
        string(json, "local"),
        string(json, "remote"),
        count(json, "streams"),
        number(json, "bytesDown"),
        number(json, "bytesUp"));
  }

  private static Json member(Json json, String name) {
    Json member = json instanceof Json.Obj object ? object.get(name) : null;
    if (member == null) {
      throw new IllegalArgumentException(name + " is missing");
    }
    return member;
  }

  private static String string(Json json, String name) {
    String value = stringOrNull(json, name);
    if (value == null) {
      throw new IllegalArgumentException(name + " is null");
    }
    return value;
  }

  private static @Nullable String stringOrNull(Json json, String name) {
    return switch (member(json, name)) {
      case Json.Str(String value) -> value;
      case Json.Null() -> null;
      default -> throw new IllegalArgumentException(name + " is no string");
    };
  }

  private static long number(Json json, String name) {
    if (member(json, name) instanceof Json.Num(long value)) {
      return value;
    }
    throw new IllegalArgumentException(name + " is no number");
  }

  private static int count(Json json, String name) {
    long value = number(json, name);
    if (value < 0 || value > Integer.MAX_VALUE) {
      throw new IllegalArgumentException(name + " is no count");
    }
    return (int) value;
  }

  private static <T> List<T> list(Json json, String name, Function<Json, T> element) {
    if (member(json, name) instanceof Json.Arr(List<Json> elements)) {
      return elements.stream().map(element).toList();
    }
    throw new IllegalArgumentException(name + " is no array");
  }
}
