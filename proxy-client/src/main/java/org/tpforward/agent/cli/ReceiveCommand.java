package org.tpforward.agent.cli;

import java.io.IOException;
import java.nio.file.Path;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import org.tpforward.agent.ExitCode;
import org.tpforward.agent.telepathy.FileReceiver;
import org.tpforward.agent.telepathy.SessionBus;
import org.tpforward.dbus.BusConnection;
import picocli.CommandLine;
import picocli.CommandLine.Option;

/** {@code tpforward receive}. */
@CommandLine.Command(
    name = "receive",
    header = "Receives files from contacts.",
    description =
        "Takes every file that is offered over a Telepathy connection on the session bus, an"
            + " agent's or not. What was cut off is kept as NAME.….part, and resumed when the same"
            + " file is offered again.")
final class ReceiveCommand extends Command {
  private final Map<String, String> environment;

  @Option(names = "--account", paramLabel = "ACCOUNT", description = Accounts.HELP)
  private @Nullable String account;

  @Option(
      names = "--dir",
      paramLabel = "DIRECTORY",
      description = "Where the files go (the current directory).")
  private Path directory = Path.of("");

  @Option(names = "--once", description = "End after one transfer.")
  private boolean once;

  ReceiveCommand(Map<String, String> environment) {
    this.environment = environment;
  }

  @Override
  int execute() throws IOException, InterruptedException {
    try (BusConnection bus = SessionBus.open(environment);
        ProgressDisplay progress = ProgressDisplay.onStandardOutput()) {
      FileReceiver receiver =
          new FileReceiver(directory.toAbsolutePath(), once, progress, new Lines(progress));
      onInterruption(() -> cancel(receiver));
      boolean complete = receiver.receive(bus, account);
      return (complete ? ExitCode.OK : ExitCode.FAILED).status();
    }
  }

  private static void cancel(FileReceiver receiver) {
    try {
      receiver.cancel();
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  private record Lines(ProgressDisplay progress) implements FileReceiver.Report {
    @Override
    public void waiting() {
      progress.line("waiting for files");
    }

    @Override
    public void saved(String contact, Path file, long size) {
      progress.line("received " + file + " from " + contact + " (" + Amounts.bytes(size) + ")");
    }

    @Override
    public void failed(String contact, String line) {
      progress.clear();
      Messages.error(line + " (from " + contact + ")");
    }
  }
}
