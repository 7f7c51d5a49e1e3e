package org.tpforward.agent.cli;

import java.io.IOException;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import org.tpforward.agent.AgentException;
import org.tpforward.agent.ExitCode;
import org.tpforward.agent.KnownAgent;
import org.tpforward.agent.RuntimeBase;

/** Which agent a command means, and what is done to it. */
final class Choice {
  /** For an answer that takes no waiting at the other side. */
  static final Duration PATIENCE = Duration.ofSeconds(5);

  /** For an agent to close what it has. */
  private static final Duration STOP_PATIENCE = Duration.ofSeconds(30);

  private Choice() {}

  /**
   * The agent of that name, else the one that $TPFORWARD_AGENT_PID names, else the only one.
   *
   * @throws AgentException with {@link ExitCode#NO_AGENT}, or {@link ExitCode#USAGE} if there are
   *     several
   */
  static KnownAgent running(@Nullable String name, Map<String, String> environment)
      throws AgentException {
    List<KnownAgent> agents = KnownAgent.list(RuntimeBase.find(environment));
    if (name != null) {
      for (KnownAgent agent : agents) {
        if (agent.name().equals(name)) {
          return living(agent);
        }
      }
      throw none("there is no agent named \"" + name + "\"", agents);
    }
    String pid = environment.get(Variables.PID);
    if (pid != null && !pid.isEmpty()) {
      for (KnownAgent agent : agents) {
        if (pid.equals(String.valueOf(agent.pid()))) {
          return living(agent);
        }
      }
      throw none("there is no agent with pid " + pid + " ($" + Variables.PID + ")", agents);
    }
    List<KnownAgent> living = agents.stream().filter(KnownAgent::isAlive).toList();
    if (living.size() > 1) {
      throw new AgentException(
          ExitCode.USAGE, "there are several agents, so name one: " + names(living));
    }
    if (living.isEmpty()) {
      throw none("there is no agent", agents);
    }
    return living.getFirst();
  }

  private static KnownAgent living(KnownAgent agent) throws AgentException {
    if (agent.isAlive() || agent.pid() == null) {
      return agent;
    }
    throw new AgentException(
        ExitCode.NO_AGENT,
        "agent \""
            + agent.name()
            + "\" (pid "
            + agent.pid()
            + ") is dead; the next start removes what it left");
  }

  private static AgentException none(String line, List<KnownAgent> agents) {
    List<KnownAgent> living = agents.stream().filter(KnownAgent::isAlive).toList();
    return new AgentException(
        ExitCode.NO_AGENT,
        line
            + (living.isEmpty()
                ? "; start one: tpforward agent DESTINATION"
                : "; there is: " + names(living)));
  }

  private static String names(List<KnownAgent> agents) {
    return String.join(", ", agents.stream().map(KnownAgent::name).toList());
  }

  /** Ends an agent, and waits until its process is gone. */
  static void stop(KnownAgent agent) throws AgentException {
    try {
      agent.stop(STOP_PATIENCE);
    } catch (IOException e) {
      throw silent(agent, e);
    }
  }

  /** An agent that does not answer. */
  static AgentException silent(KnownAgent agent, IOException e) {
    String hint =
        agent.pid() == null ? "" : "; it may be starting, else end it: kill " + agent.pid();
    return new AgentException(
        ExitCode.FAILED, "agent \"" + agent.name() + "\": " + e.getMessage() + hint, e);
  }
}
