package org.tpforward.agent.cli;

import java.io.IOException;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import org.tpforward.agent.ExitCode;
import org.tpforward.agent.Json;
import org.tpforward.agent.telepathy.SessionBus;
import org.tpforward.agent.telepathy.TubeList;
import org.tpforward.dbus.BusConnection;
import picocli.CommandLine;
import picocli.CommandLine.Option;

/** {@code tpforward tube list}. */
@CommandLine.Command(
    name = "list",
    header = "Lists the tubes of the connections on the session bus.")
final class TubeListCommand extends Command {
  private final Map<String, String> environment;

  @Option(
      names = "--account",
      paramLabel = "ACCOUNT",
      description = "Of this connection only; see: tpforward send --help.")
  private @Nullable String account;

  @Option(names = "--json", description = "Print an array, on one line.")
  private boolean json;

  TubeListCommand(Map<String, String> environment) {
    this.environment = environment;
  }

  @Override
  int execute() throws IOException {
    List<TubeList.Entry> tubes;
    try (BusConnection bus = SessionBus.open(environment)) {
      tubes = TubeList.read(bus, account);
    }
    if (json) {
      System.out.println(Json.of(tubes, TubeListCommand::json));
    } else if (!tubes.isEmpty()) {
      List<List<String>> rows = new ArrayList<>();
      rows.add(List.of("SERVICE", "KIND", "WITH", "OFFERED", "STATE", "ACCOUNT"));
      for (TubeList.Entry tube : tubes) {
        rows.add(
            List.of(
                Messages.printable(tube.service()),
                tube.kind(),
                Messages.printable(tube.contact()),
                tube.outgoing() ? "by you" : "to you",
                tube.state(),
                tube.account()));
      }
      System.out.print(Table.of(rows));
    }
    return ExitCode.OK.status();
  }

  private static Json json(TubeList.Entry tube) {
    Map<String, Json> members = new LinkedHashMap<>();
    members.put("account", Json.of(tube.account()));
    members.put("kind", Json.of(tube.kind()));
    members.put("service", Json.of(tube.service()));
    members.put("contact", Json.of(tube.contact()));
    members.put("outgoing", new Json.Bool(tube.outgoing()));
    members.put("channel", Json.of(tube.channel()));
    members.put("state", Json.of(tube.state()));
    return new Json.Obj(members);
  }
}
