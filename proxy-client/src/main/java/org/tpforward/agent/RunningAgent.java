package org.tpforward.agent;

/** An agent whose bus can be reached. All methods are for any number of threads. */
public interface RunningAgent extends AutoCloseable {
  /** What DBUS_SESSION_BUS_ADDRESS is set to for clients of the agent, escaped. */
  String busAddress();

  /** What it does at this moment. Cheap, never waits for the link. */
  AgentStatus status();

  /**
   * Waits until the agent has ended by itself or by {@link #close}; then {@link #status} still says
   * why, in the link's reason.
   *
   * @return {@link ExitCode#OK} after close, {@link ExitCode#LINK} if the link was lost and the
   *     agent was not to reconnect, {@link ExitCode#REMOTE_BUS} if the bus went away for good
   */
  ExitCode awaitEnd() throws InterruptedException;

  /**
   * Ends the agent: bus connections first, then streams, listeners and the link. Its runtime
   * directory remains, it is whose claimed it. Bounded in time; idempotent.
   */
  @Override
  void close();
}
