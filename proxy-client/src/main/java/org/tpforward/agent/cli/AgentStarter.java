package org.tpforward.agent.cli;

import org.tpforward.agent.AgentException;
import org.tpforward.agent.AgentOptions;
import org.tpforward.agent.RunningAgent;
import org.tpforward.agent.RuntimeDirectory;

/** {@link org.tpforward.agent.Agents#start}, as the commands know it. */
@FunctionalInterface
interface AgentStarter {
  RunningAgent start(AgentOptions options, RuntimeDirectory directory) throws AgentException;
}
