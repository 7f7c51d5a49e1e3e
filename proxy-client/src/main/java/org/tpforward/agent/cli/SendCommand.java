package org.tpforward.agent.cli;

import java.io.IOException;
import java.nio.file.Path;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import org.tpforward.agent.ExitCode;
import org.tpforward.agent.telepathy.FileSender;
import org.tpforward.agent.telepathy.SessionBus;
import org.tpforward.dbus.BusConnection;
import picocli.CommandLine;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** {@code tpforward send}. */
@CommandLine.Command(
    name = "send",
    header = "Sends a file to a contact.",
    description =
        "Sends FILE to CONTACT over a Telepathy connection on the session bus, an agent's or not."
            + " Ends once the other side has all of it.")
final class SendCommand extends Command {
  private final Map<String, String> environment;

  @Option(names = "--account", paramLabel = "ACCOUNT", description = Accounts.HELP)
  private @Nullable String account;

  @Parameters(index = "0", paramLabel = "CONTACT", description = "Who, as the network names them.")
  private String contact = "";

  @Parameters(index = "1", paramLabel = "FILE", description = "A regular file.")
  private Path file = Path.of("");

  SendCommand(Map<String, String> environment) {
    this.environment = environment;
  }

  @Override
  int execute() throws IOException, InterruptedException {
    try (BusConnection bus = SessionBus.open(environment);
        ProgressDisplay progress = ProgressDisplay.onStandardOutput()) {
      FileSender sender = new FileSender(progress);
      onInterruption(sender::cancel);
      long sent = sender.send(bus, account, contact, file);
      progress.line("sent " + file + " to " + contact + " (" + Amounts.bytes(sent) + ")");
      return ExitCode.OK.status();
    }
  }
}
