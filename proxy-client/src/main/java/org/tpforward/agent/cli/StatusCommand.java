package org.tpforward.agent.cli;

import java.io.IOException;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import org.tpforward.agent.AgentException;
import org.tpforward.agent.AgentStatus;
import org.tpforward.agent.ExitCode;
import org.tpforward.agent.KnownAgent;
import picocli.CommandLine;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** {@code tpforward status}. */
@CommandLine.Command(
    name = "status",
    header = "Shows an agent's link, bus clients, listeners, channels and bytes.")
final class StatusCommand extends Command {
  private final Map<String, String> environment;

  @Option(names = "--json", description = "Print one line of JSON.")
  private boolean json;

  @Parameters(
      index = "0",
      arity = "0..1",
      paramLabel = "NAME",
      description = "Which; else the one of $TPFORWARD_AGENT_PID, else the only one.")
  private @Nullable String name;

  StatusCommand(Map<String, String> environment) {
    this.environment = environment;
  }

  @Override
  int execute() throws AgentException {
    KnownAgent agent = Choice.running(name, environment);
    AgentStatus status;
    try {
      status = agent.status(Choice.PATIENCE);
    } catch (IOException e) {
      throw Choice.silent(agent, e);
    }
    System.out.print(json ? status.toJson() + "\n" : StatusText.of(status, Colour.of(environment)));
    return ExitCode.OK.status();
  }
}
