package org.tpforward.agent.cli;

import java.io.IOException;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.tpforward.agent.AgentException;
import org.tpforward.agent.AgentStatus;
import org.tpforward.agent.ExitCode;
import org.tpforward.agent.Json;
import org.tpforward.agent.KnownAgent;
import org.tpforward.agent.RuntimeBase;
import picocli.CommandLine;
import picocli.CommandLine.Option;

/** {@code tpforward list}. */
@CommandLine.Command(name = "list", header = "Lists the agents of this user.")
final class ListCommand extends Command {
  private final Map<String, String> environment;

  @Option(names = "--json", description = "Print an array with the status of each, on one line.")
  private boolean json;

  ListCommand(Map<String, String> environment) {
    this.environment = environment;
  }

  @Override
  int execute() throws AgentException {
    List<Json> all = new ArrayList<>();
    List<List<String>> rows = new ArrayList<>();
    for (KnownAgent agent : KnownAgent.list(RuntimeBase.find(environment))) {
      try {
        AgentStatus status = agent.status(Choice.PATIENCE);
        all.add(status.toJson());
        rows.add(row(agent, status.link().state(), status.destination()));
      } catch (IOException e) {
        String problem =
            agent.pid() == null ? "starting" : agent.isAlive() ? "does not answer" : "dead";
        all.add(problem(agent, problem));
        rows.add(row(agent, problem, ""));
      }
    }
    if (json) {
      System.out.println(new Json.Arr(all));
    } else if (!rows.isEmpty()) {
      rows.addFirst(List.of("NAME", "PID", "LINK", "DESTINATION"));
      System.out.print(Table.of(rows));
    }
    return ExitCode.OK.status();
  }

  private static List<String> row(KnownAgent agent, String link, String destination) {
    Long pid = agent.pid();
    return List.of(
        agent.name(), pid == null ? "-" : pid.toString(), link, Messages.printable(destination));
  }

  private static Json problem(KnownAgent agent, String problem) {
    Map<String, Json> members = new LinkedHashMap<>();
    Long pid = agent.pid();
    members.put("name", Json.of(agent.name()));
    members.put("pid", pid == null ? new Json.Null() : Json.of(pid));
    members.put("problem", Json.of(problem));
    return new Json.Obj(members);
  }
}
