package org.tpforward.agent.cli;

import picocli.CommandLine;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/** {@code tpforward tube}, with commands of its own. */
@CommandLine.Command(
    name = "tube",
    header = "Offers a TCP or Unix service to a contact, or uses a contact's.",
    synopsisSubcommandLabel = "COMMAND")
final class TubeCommand implements Runnable {
  @Spec private CommandSpec spec = CommandSpec.create();

  @Option(
      names = {"-h", "--help"},
      usageHelp = true,
      description = "Show this help.")
  boolean help;

  @Override
  public void run() {
    throw new ParameterException(spec.commandLine(), "a command is missing");
  }
}
