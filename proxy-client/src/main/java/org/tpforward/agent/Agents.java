package org.tpforward.agent;

/** Starts agents. */
public final class Agents {
  private Agents() {}

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
