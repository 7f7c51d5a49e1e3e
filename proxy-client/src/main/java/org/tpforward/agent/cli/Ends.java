package org.tpforward.agent.cli;

import org.tpforward.agent.AgentStatus;
import org.tpforward.agent.ExitCode;

/** How the end of an agent that nobody asked for is told. */
final class Ends {
  private Ends() {}

  static String line(AgentStatus status, ExitCode end) {
    String what = end == ExitCode.REMOTE_BUS ? "the bus of " : "the SSH connection to ";
    String reason = status.link().reason();
    return what + status.destination() + " is lost" + (reason == null ? "" : ": " + reason);
  }
}
