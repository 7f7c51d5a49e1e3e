package org.tpforward.agent.cli;

/** The variables of the environment that tell of an agent. */
final class Variables {
  /** The bus that clients use. */
  static final String BUS = "DBUS_SESSION_BUS_ADDRESS";

  /** The process of the agent. */
  static final String PID = "TPFORWARD_AGENT_PID";

  private Variables() {}
}
