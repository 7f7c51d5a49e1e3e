package org.tpforward.agent;

import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import org.tpforward.agent.bus.BusServer;
import org.tpforward.agent.forward.Forward;
import org.tpforward.agent.forward.Forwards;
import org.tpforward.agent.forward.Offering;
import org.tpforward.agent.link.LinkState;
import org.tpforward.agent.link.SshLink;
import org.tpforward.socket.Endpoint;

/** Gathers what {@code tpforward status} shows. */
final class AgentStatusReport {
  private final AgentOptions options;
  private final SshLink link;
  private final RemoteBusOpener opener;
  private final BusServer server;
  private final Forwards forwards;

  /** When the link came to be anything but up. */
  private volatile Instant notUpSince = Instant.now();

  AgentStatusReport(
      AgentOptions options,
      SshLink link,
      RemoteBusOpener opener,
      BusServer server,
      Forwards forwards) {
    this.options = options;
    this.link = link;
    this.opener = opener;
    this.server = server;
    this.forwards = forwards;
  }

  /** The link has been lost, just now. */
  void linkLost() {
    notUpSince = Instant.now();
  }

  AgentStatus now(String busAddress, List<AgentStatus.Listener> bus) {
    List<AgentStatus.Listener> listeners = new ArrayList<>(bus);
    List<AgentStatus.Forward> entries = new ArrayList<>();
    for (Forward forward : forwards.list()) {
      if (forward.isListening()) {
        listeners.add(new AgentStatus.Listener(forward.local().toString(), words(forward)));
      }
      entries.add(
          new AgentStatus.Forward(
              words(forward),
              forward.spec().channel().path(),
              forward.local().toString(),
              String.valueOf(forward.target()),
              forward.openStreams(),
              forward.bytesToClient(),
              forward.bytesToCm()));
    }
    for (Offering offering : forwards.offerings()) {
      entries.add(
          new AgentStatus.Forward(
              "offered stream tube",
              offering.spec().channel().path(),
              offering.spec().service().toString(),
              offering.isListening() ? offering.remote().toString() : "none yet",
              offering.openStreams(),
              offering.bytesToClient(),
              offering.bytesToCm()));
    }
    Endpoint remoteBus = opener.endpoint();
    return new AgentStatus(
        options.name(),
        ProcessHandle.current().pid(),
        options.destination(),
        busAddress,
        remoteBus == null ? null : remoteBus.toString(),
        state(),
        server.clients(),
        listeners,
        server.clients() + forwards.openStreams(),
        server.served() + forwards.openedStreams(),
        forwards.bytesToClients(),
        forwards.bytesToCms(),
        entries);
  }

  private AgentStatus.Link state() {
    return switch (link.state()) {
      case LinkState.Connecting c -> new AgentStatus.Link("connecting", notUpSince, null);
      case LinkState.Up(Instant since) -> new AgentStatus.Link("up", since, null);
      case LinkState.Down(String reason, var next) ->
          new AgentStatus.Link(
              "down", notUpSince, next == null ? reason : reason + "; next try at " + next);
      case LinkState.Closed c -> new AgentStatus.Link("ended", notUpSince, null);
    };
  }

  private static String words(Forward forward) {
    return forward.spec().use().name().toLowerCase(Locale.ROOT).replace('_', ' ');
  }
}
