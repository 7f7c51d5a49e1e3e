package org.tpforward.agent.cli;

import java.io.IOException;
import java.io.PrintStream;
import java.nio.file.Path;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import org.tpforward.agent.AgentException;
import org.tpforward.agent.AgentName;
import org.tpforward.agent.AgentOptions;
import org.tpforward.agent.ExitCode;
import org.tpforward.agent.KnownAgent;
import org.tpforward.agent.RuntimeBase;
import picocli.CommandLine;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** {@code tpforward agent}. */
@CommandLine.Command(
    name = "agent",
    header = "Starts an agent: forwards a remote D-Bus and Telepathy's sockets.",
    description = {
      "Forwards the D-Bus of DESTINATION ([user@]host[:port], or ssh://…), with the sockets that"
          + " its Telepathy connection managers hand out. Goes to the background once the bus can"
          + " be reached, and prints what a shell evaluates:",
      "  eval \"$(tpforward agent alice@example.org)\""
    })
final class AgentCommand extends Command {
  private final AgentStarter starter;
  private final Map<String, String> environment;

  @Mixin private final AgentArguments arguments = new AgentArguments();

  @Option(names = "--foreground", description = "Stay in the foreground.")
  private boolean foreground;

  @Option(
      names = "--no-reconnect",
      description = "End when the SSH connection is lost, rather than connect again.")
  private boolean noReconnect;

  @Option(
      names = {"-k", "--kill"},
      description = "End the agent that --name or $TPFORWARD_AGENT_PID says.")
  private boolean kill;

  @Option(names = "-s", description = "Print for a Bourne shell (the default: what $SHELL is).")
  private boolean bourne;

  @Option(names = "-c", description = "Print for a C shell.")
  private boolean c;

  @Parameters(
      index = "0",
      arity = "0..1",
      paramLabel = "DESTINATION",
      description = "The machine with the bus, as for ssh.")
  private @Nullable String destination;

  AgentCommand(AgentStarter starter, Map<String, String> environment) {
    this.starter = starter;
    this.environment = environment;
  }

  @Override
  int execute() throws AgentException, IOException, InterruptedException {
    if (bourne && c) {
      throw new AgentException(ExitCode.USAGE, "-s and -c exclude each other");
    }
    return kill ? kill() : start();
  }

  private int start() throws AgentException, IOException, InterruptedException {
    if (destination == null) {
      throw new AgentException(
          ExitCode.USAGE, "DESTINATION is missing; see: tpforward agent --help");
    }
    AgentOptions options = arguments.options(destination, AgentName.of(destination), !noReconnect);
    Path base = RuntimeBase.find(environment);
    try (Session session = Session.start(starter, options, base)) {
      print(session.agent().busAddress());
      if (!foreground) {
        Background.enter(session.directory().log());
      }
      ExitCode end = session.agent().awaitEnd();
      if (end != ExitCode.OK) {
        Messages.error(Ends.line(session.agent().status(), end));
      }
      return end.status();
    }
  }

  private void print(String busAddress) throws IOException {
    Shell shell = shell();
    long pid = ProcessHandle.current().pid();
    PrintStream out = System.out;
    out.println(shell.set(Variables.BUS, busAddress));
    out.println(shell.set(Variables.PID, Long.toString(pid)));
    out.println(shell.say("Agent pid " + pid));
    if (out.checkError()) {
      throw new IOException("standard output cannot be written, so nobody knows of the agent");
    }
  }

  private int kill() throws AgentException {
    KnownAgent agent = Choice.running(arguments.name, environment);
    Choice.stop(agent);
    Shell shell = shell();
    System.out.println(shell.unset(Variables.BUS));
    System.out.println(shell.unset(Variables.PID));
    System.out.println(shell.say("Agent pid " + agent.pid() + " killed"));
    return ExitCode.OK.status();
  }

  private Shell shell() {
    return c ? Shell.C : bourne ? Shell.BOURNE : Shell.guess(environment.get("SHELL"));
  }
}
