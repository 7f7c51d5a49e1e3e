package org.tpforward.agent.cli;

import java.util.Map;
import org.jspecify.annotations.Nullable;
import org.tpforward.agent.AgentException;
import org.tpforward.agent.ExitCode;
import org.tpforward.agent.KnownAgent;
import picocli.CommandLine;
import picocli.CommandLine.Parameters;

/** {@code tpforward stop}. */
@CommandLine.Command(name = "stop", header = "Ends an agent, and waits until it has ended.")
final class StopCommand extends Command {
  private final Map<String, String> environment;

  @Parameters(
      index = "0",
      arity = "0..1",
      paramLabel = "NAME",
      description = "Which; else the one of $TPFORWARD_AGENT_PID, else the only one.")
  private @Nullable String name;

  StopCommand(Map<String, String> environment) {
    this.environment = environment;
  }

  @Override
  int execute() throws AgentException {
    KnownAgent agent = Choice.running(name, environment);
    Choice.stop(agent);
    System.out.println("stopped " + agent.name() + " (pid " + agent.pid() + ")");
    return ExitCode.OK.status();
  }
}
