package org.tpforward.agent.cli;

import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Set;
import java.util.function.Supplier;
import org.tpforward.agent.Agents;
import org.tpforward.agent.ExitCode;
import picocli.CommandLine;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/** {@code tpforward}: the desktop's side, one command line for all of it. */
@CommandLine.Command(
    name = "tpforward",
    description =
        "Makes a Telepathy connection manager on another machine as usable as a local one.",
    synopsisSubcommandLabel = "COMMAND",
    versionProvider = Version.class)
public final class Tpforward implements Runnable {
  @Spec private CommandSpec spec = CommandSpec.create();

  @Option(
      names = {"-h", "--help"},
      usageHelp = true,
      description = "Show this help.")
  boolean help;

  @Option(
      names = {"-V", "--version"},
      versionHelp = true,
      description = "Show the version.")
  boolean version;

  private Tpforward() {}

  /** The program. */
  public static void main(String[] arguments) {
    System.exit(execute(Agents::start, System.getenv(), arguments));
  }

  /**
   * The program, for main and for tests; its exit status.
   *
   * @param starter starts agents
   * @param environment of the process
   */
  static int execute(AgentStarter starter, Map<String, String> environment, String... arguments) {
    Map<String, Supplier<CommandLine>> commands = commands(starter, environment);
    CommandLine root = new CommandLine(new Tpforward());
    // Each takes picocli some milliseconds: only the one that is wanted, if it is clear which.
    if (arguments.length > 0 && commands.containsKey(arguments[0])) {
      commands.keySet().retainAll(Set.of(arguments[0]));
    }
    commands.forEach((name, command) -> root.addSubcommand(name, command.get()));
    root.setParameterExceptionHandler(Tpforward::usage);
    describe(root);
    return root.execute(arguments);
  }

  private static Map<String, Supplier<CommandLine>> commands(
      AgentStarter starter, Map<String, String> environment) {
    Map<String, Supplier<CommandLine>> commands = new LinkedHashMap<>();
    commands.put("agent", () -> new CommandLine(new AgentCommand(starter, environment)));
    // What follows run's DESTINATION is another program's command line.
    commands.put(
        "run",
        () -> new CommandLine(new RunCommand(starter, environment)).setStopAtPositional(true));
    commands.put("list", () -> new CommandLine(new ListCommand(environment)));
    commands.put("status", () -> new CommandLine(new StatusCommand(environment)));
    commands.put("stop", () -> new CommandLine(new StopCommand(environment)));
    commands.put("send", () -> new CommandLine(new SendCommand(environment)));
    commands.put("receive", () -> new CommandLine(new ReceiveCommand(environment)));
    commands.put(
        "tube",
        () ->
            new CommandLine(new TubeCommand())
                .addSubcommand("offer", new TubeOfferCommand(environment))
                .addSubcommand("accept", new TubeAcceptCommand(environment))
                .addSubcommand("list", new TubeListCommand(environment)));
    commands.put("contacts", () -> new CommandLine(new ContactsCommand(environment)));
    return commands;
  }

  private static void describe(CommandLine command) {
    Map<String, String> statuses = new LinkedHashMap<>();
    for (ExitCode code : ExitCode.values()) {
      statuses.put(Integer.toString(code.status()), code.meaning());
    }
    command
        .getCommandSpec()
        .usageMessage()
        .exitCodeListHeading("%nExit status:%n")
        .exitCodeList(statuses)
        .sortOptions(false)
        .abbreviateSynopsis(true);
    command.getSubcommands().values().forEach(Tpforward::describe);
  }

  private static int usage(ParameterException e, String[] arguments) {
    String command = e.getCommandLine().getCommandSpec().qualifiedName();
    Messages.error(e.getMessage() + "; see: " + command + " --help");
    return ExitCode.USAGE.status();
  }

  @Override
  public void run() {
    throw new ParameterException(spec.commandLine(), "a command is missing");
  }
}
