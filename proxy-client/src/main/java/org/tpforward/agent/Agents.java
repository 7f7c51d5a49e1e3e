package org.tpforward.agent;

import org.tpforward.ssh.SshClients;

/** Starts agents. */
public final class Agents {
  private Agents() {}

  /** Does beforehand, and meanwhile, what {@link #start} needs in any case. Does not block. */
  public static void prepare() {
    SshClients.prepare();
  }

  /**
   * Connects, finds the remote bus, and returns once a client could use it.
   *
   * @param options what the user asked for
   * @param directory where the agent's sockets go; stays the caller's, who closes it after the
   *     agent
   * @throws AgentException with {@link ExitCode#LINK} or {@link ExitCode#REMOTE_BUS}; nothing is
   *     left running then
   */
  public static RunningAgent start(AgentOptions options, RuntimeDirectory directory)
      throws AgentException {
    return ForwardingAgent.start(options, directory);
  }
}
