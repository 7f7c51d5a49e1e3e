package org.tpforward.agent.cli;

import java.util.LinkedHashMap;
import java.util.Map;
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
    System.exit(commandLine(Agents::start, System.getenv()).execute(arguments));
  }

  /**
   * The command line, for main and for tests.
   *
   * @param starter starts agents
   * @param environment of the process
   */
  static CommandLine commandLine(AgentStarter starter, Map<String, String> environment) {
    // What follows run's DESTINATION is another program's command line.
    CommandLine run = new CommandLine(new RunCommand(starter, environment));
    run.setStopAtPositional(true);
    CommandLine tube =
        new CommandLine(new TubeCommand())
            .addSubcommand("offer", new TubeOfferCommand(environment))
            .addSubcommand("accept", new TubeAcceptCommand(environment))
            .addSubcommand("list", new TubeListCommand(environment));
    CommandLine root =
        new CommandLine(new Tpforward())
            .addSubcommand("agent", new AgentCommand(starter, environment))
            .addSubcommand("run", run)
            .addSubcommand("list", new ListCommand(environment))
            .addSubcommand("status", new StatusCommand(environment))
            .addSubcommand("stop", new StopCommand(environment))
            .addSubcommand("send", new SendCommand(environment))
            .addSubcommand("receive", new ReceiveCommand(environment))
            .addSubcommand("tube", tube)
            .addSubcommand("contacts", new ContactsCommand(environment));
    root.setParameterExceptionHandler(Tpforward::usage);
    describe(root);
    return root;
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
