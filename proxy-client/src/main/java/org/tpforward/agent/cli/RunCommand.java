package org.tpforward.agent.cli;

import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.regex.Pattern;
import org.tpforward.agent.AgentException;
import org.tpforward.agent.AgentOptions;
import org.tpforward.agent.ExitCode;
import org.tpforward.agent.RuntimeBase;
import org.tpforward.process.Signals;
import picocli.CommandLine;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Parameters;

/** {@code tpforward run}. */
@CommandLine.Command(
    name = "run",
    header = "Runs a command with an agent of its own.",
    description =
        "Runs COMMAND with the bus of DESTINATION as its session bus, and ends with its status (128"
            + " + n if signal n ended it; 127 if it was not found, 126 if it cannot be run).")
final class RunCommand extends Command {
  /** Those that users send to programs. SIGQUIT and SIGUSR2 are the JVM's own. */
  private static final List<String> PASSED_ON = List.of("HUP", "INT", "TERM", "USR1");

  /** The JDK tells it in the message only. */
  private static final Pattern ENOENT = Pattern.compile("error[=:] ?2\\b");

  private static final int SIGINT = 2;
  private static final int SIGTERM = 15;
  private static final int NOT_EXECUTABLE = 126;
  private static final int NOT_FOUND = 127;

  /** For a command to end by itself after SIGTERM. */
  private static final int GRACE_SECONDS = 5;

  private final AgentStarter starter;
  private final Map<String, String> environment;

  @Mixin private final AgentArguments arguments = new AgentArguments();

  @Parameters(
      index = "0",
      paramLabel = "DESTINATION",
      description = "The machine with the bus, as for ssh.")
  private String destination = "";

  @Parameters(
      index = "1..*",
      arity = "1..*",
      paramLabel = "[--] COMMAND",
      description = "A program and its arguments.")
  private List<String> command = new ArrayList<>();

  RunCommand(AgentStarter starter, Map<String, String> environment) {
    this.starter = starter;
    this.environment = environment;
  }

  @Override
  int execute() throws AgentException, IOException, InterruptedException {
    boolean marked = command.getFirst().equals("--");
    List<String> program = marked ? command.subList(1, command.size()) : command;
    if (program.isEmpty()) {
      throw new AgentException(ExitCode.USAGE, "COMMAND is missing; see: tpforward run --help");
    }
    if (!marked && program.getFirst().startsWith("-")) {
      throw new AgentException(
          ExitCode.USAGE,
          program.getFirst() + ": options go before DESTINATION, and COMMAND after --");
    }
    long pid = ProcessHandle.current().pid();
    AgentOptions options = arguments.options(destination, "run-" + pid, false);
    Path base = RuntimeBase.find(environment);
    try (Session session = Session.start(starter, options, base)) {
      return run(session, program);
    }
  }

  private static int run(Session session, List<String> program) throws InterruptedException {
    // Signals that come before the command runs wait for it.
    CompletableFuture<Process> started = new CompletableFuture<>();
    Signals.handle(
        PASSED_ON,
        signal -> {
          CompletableFuture<Void> _ =
              started.thenAccept(process -> passOn(process, signal.number()));
        });
    ProcessBuilder builder = new ProcessBuilder(program).inheritIO();
    builder.environment().put(Variables.BUS, session.agent().busAddress());
    builder.environment().put(Variables.PID, Long.toString(ProcessHandle.current().pid()));
    Process process;
    try {
      process = builder.start();
    } catch (IOException e) {
      boolean missing = ENOENT.matcher(String.valueOf(e.getMessage())).find();
      Messages.error(
          program.getFirst() + (missing ? " was not found" : " cannot be run: " + e.getMessage()));
      return missing ? NOT_FOUND : NOT_EXECUTABLE;
    }
    started.complete(process);
    return await(session, process);
  }

  private static void passOn(Process process, int signal) {
    // Ctrl-C goes to all processes in the terminal's foreground: the command has had it already.
    if (signal == SIGINT && ForegroundTerminal.isOurs()) {
      return;
    }
    send(process, signal);
  }

  private static void send(Process process, int signal) {
    try {
      if (process.isAlive()) {
        boolean _ = Posix.kill(process.pid(), signal);
      }
    } catch (IOException e) {
      Messages.error("signal " + signal + " was not passed on: " + e.getMessage());
    }
  }

  /** The end of the command, or of the agent, whichever is first. */
  private static int await(Session session, Process process) throws InterruptedException {
    CompletableFuture<ExitCode> agentEnd = new CompletableFuture<>();
    Thread waiting =
        Thread.ofVirtual()
            .start(() -> {
              try {
                agentEnd.complete(session.agent().awaitEnd());
              } catch (InterruptedException e) {
                // The command was first.
              }
            });
    CompletableFuture<Object> first = CompletableFuture.anyOf(process.onExit(), agentEnd);
    try {
      if (first.get() instanceof ExitCode end) {
        return endedFirst(session, process, end);
      }
    } catch (ExecutionException e) {
      throw new IllegalStateException(e);
    }
    waiting.interrupt();
    return process.waitFor();
  }

  private static int endedFirst(Session session, Process process, ExitCode end)
      throws InterruptedException {
    Messages.error(
        end == ExitCode.OK
            ? "the agent was stopped, so the command is ended"
            : Ends.line(session.agent().status(), end) + "; the command is ended");
    send(process, SIGTERM);
    if (!process.waitFor(GRACE_SECONDS, TimeUnit.SECONDS)) {
      process.destroyForcibly().waitFor();
    }
    return end == ExitCode.OK ? ExitCode.FAILED.status() : end.status();
  }
}
