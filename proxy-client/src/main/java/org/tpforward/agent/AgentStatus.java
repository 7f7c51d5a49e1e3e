package org.tpforward.agent;

import java.time.Instant;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * What an agent does at one moment: what {@code tpforward status} shows.
 *
 * @param name of the agent
 * @param pid of its process
 * @param destination as the user wrote it
 * @param busAddress for its clients
 * @param remoteBus the bus's address at the far end, null while none is known
 * @param link the way to the server
 * @param busClients connections to the bus socket
 * @param listeners local sockets that wait for a client
 * @param openChannels SSH channels at this moment
 * @param channelsOpened SSH channels since the start
 * @param bytesDown bytes of data from the server in all channels, since the start
 * @param bytesUp bytes of data to the server in all channels, since the start
 * @param forwards files and tubes that are being forwarded
 */
public record AgentStatus(
    String name,
    long pid,
    String destination,
    String busAddress,
    @Nullable String remoteBus,
    Link link,
    int busClients,
    List<Listener> listeners,
    int openChannels,
    long channelsOpened,
    long bytesDown,
    long bytesUp,
    List<Forward> forwards) {

  /** Copies the lists. */
  public AgentStatus {
    listeners = List.copyOf(listeners);
    forwards = List.copyOf(forwards);
  }

  /**
   * The SSH connection.
   *
   * @param state a word: {@code up}, {@code connecting}, {@code down}, {@code ended}
   * @param since when it came to be so
   * @param reason why it is not up, one line; null if there is nothing to say
   */
  public record Link(String state, Instant since, @Nullable String reason) {}

  /**
   * A local socket that waits for a client.
   *
   * @param address as {@link org.tpforward.socket.Endpoint} shows it
   * @param purpose a few words: the bus, or what is forwarded
   */
  public record Listener(String address, String purpose) {}

  /**
   * One file or tube.
   *
   * @param kind a few words: {@code file}, {@code stream tube}, …
   * @param channel the Telepathy channel's object path
   * @param local the local socket
   * @param remote the socket at the far end
   * @param streams connections at this moment
   * @param bytesDown bytes from the server
   * @param bytesUp bytes to the server
   */
  public record Forward(
      String kind,
      String channel,
      String local,
      String remote,
      int streams,
      long bytesDown,
      long bytesUp) {}

  /** For {@code --json} and the control socket; instants are written as ISO 8601. */
  public Json toJson() {
    Map<String, Json> members = new LinkedHashMap<>();
    members.put("name", Json.of(name));
    members.put("pid", Json.of(pid));
    members.put("destination", Json.of(destination));
    members.put("busAddress", Json.of(busAddress));
    members.put("remoteBus", Json.of(remoteBus));
    members.put("link", AgentStatusJson.of(link));
    members.put("busClients", Json.of(busClients));
    members.put("listeners", Json.of(listeners, AgentStatusJson::of));
    members.put("openChannels", Json.of(openChannels));
    members.put("channelsOpened", Json.of(channelsOpened));
    members.put("bytesDown", Json.of(bytesDown));
    members.put("bytesUp", Json.of(bytesUp));
    members.put("forwards", Json.of(forwards, AgentStatusJson::of));
    return new Json.Obj(members);
  }

  /**
   * Reads what {@link #toJson} wrote; members that it does not know are passed over.
   *
   * @throws IllegalArgumentException if one is missing or of another type
   */
  public static AgentStatus fromJson(Json json) {
    return AgentStatusJson.status(json);
  }
}
