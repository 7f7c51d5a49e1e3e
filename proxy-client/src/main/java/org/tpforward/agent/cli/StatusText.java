package org.tpforward.agent.cli;

import java.time.Duration;
import java.time.Instant;
import java.time.ZoneId;
import java.time.format.DateTimeFormatter;
import org.jspecify.annotations.Nullable;
import org.tpforward.agent.AgentStatus;

/** An agent's status for people. */
final class StatusText {
  private static final DateTimeFormatter TIME = DateTimeFormatter.ofPattern("yyyy-MM-dd HH:mm:ss");

  private StatusText() {}

  static String of(AgentStatus status, Colour colour) {
    return of(status, colour, Instant.now(), ZoneId.systemDefault());
  }

  static String of(AgentStatus status, Colour colour, Instant now, ZoneId zone) {
    StringBuilder out = new StringBuilder();
    out.append(colour.heading(status.name())).append(" (pid ").append(status.pid()).append(")\n");
    line(out, "destination", status.destination());
    AgentStatus.Link link = status.link();
    String state = Messages.printable(link.state());
    out.append(label("link"))
        .append(state.equals("up") ? colour.good(state) : colour.bad(state))
        .append(" since ")
        .append(TIME.withZone(zone).format(link.since()))
        .append(" (")
        .append(Amounts.duration(Duration.between(link.since(), now)))
        .append(")")
        .append(reason(link.reason()))
        .append('\n');
    line(out, "bus", status.busAddress());
    if (status.remoteBus() != null) {
      line(out, "remote bus", status.remoteBus());
    }
    line(out, "bus clients", Integer.toString(status.busClients()));
    line(
        out,
        "channels",
        status.openChannels() + " open, " + status.channelsOpened() + " since the start");
    line(out, "data", bytes(status.bytesDown(), status.bytesUp()));
    line(out, "listeners", Integer.toString(status.listeners().size()));
    for (AgentStatus.Listener listener : status.listeners()) {
      line(out, "", listener.address() + "  " + listener.purpose());
    }
    line(out, "forwards", Integer.toString(status.forwards().size()));
    for (AgentStatus.Forward forward : status.forwards()) {
      line(
          out,
          "",
          forward.kind()
              + "  "
              + forward.local()
              + " -> "
              + forward.remote()
              + "  "
              + Amounts.count(forward.streams(), "stream")
              + ", "
              + bytes(forward.bytesDown(), forward.bytesUp()));
      line(out, "", "  " + forward.channel());
    }
    return out.toString();
  }

  private static String bytes(long down, long up) {
    return Amounts.bytes(down) + " down, " + Amounts.bytes(up) + " up";
  }

  private static String reason(@Nullable String reason) {
    return reason == null ? "" : ": " + Messages.printable(reason);
  }

  private static void line(StringBuilder out, String label, String text) {
    out.append(label(label)).append(Messages.printable(text)).append('\n');
  }

  private static String label(String label) {
    return String.format("  %-13s", label);
  }
}
