package org.tpforward.agent.cli;

import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import org.tpforward.agent.AgentException;
import org.tpforward.agent.ExitCode;
import org.tpforward.agent.telepathy.SessionBus;
import org.tpforward.agent.telepathy.TubeAcceptor;
import org.tpforward.dbus.BusConnection;
import org.tpforward.socket.AllowedUids;
import picocli.CommandLine;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** {@code tpforward tube accept}. */
@CommandLine.Command(
    name = "accept",
    header = "Accepts a service that a contact offers, and makes it a local one.",
    description =
        "Waits until CONTACT, or anybody, offers SERVICE, and lets local programs connect to it at"
            + " ADDRESS until the tube is closed or this program ends.")
final class TubeAcceptCommand extends Command {
  private static final String ANY_PORT = "127.0.0.1:0";

  private final Map<String, String> environment;

  @Option(names = "--account", paramLabel = "ACCOUNT", description = Accounts.HELP)
  private @Nullable String account;

  @Option(
      names = "--any-local-user",
      description = "Let every user of this machine connect, not only you.")
  private boolean anyLocalUser;

  @Option(
      names = "--show-params",
      description = "Print the parameters' values, which may be secret.")
  private boolean showParameters;

  @Option(names = "--json", description = "Print an object for each event, each on one line.")
  private boolean json;

  @Parameters(
      arity = "1..3",
      paramLabel = "[CONTACT] SERVICE [ADDRESS]",
      hideParamSyntax = true,
      description = {
        "CONTACT: who must offer it; without it anybody.",
        "SERVICE: what it is, such as http or rfb.",
        "ADDRESS: where to listen: HOST:PORT on loopback, [::1]:PORT, unix:/PATH, unix:@NAME; a"
            + " free port of 127.0.0.1 if it is left out."
      })
  private List<String> words = new ArrayList<>();

  TubeAcceptCommand(Map<String, String> environment) {
    this.environment = environment;
  }

  @Override
  int execute() throws AgentException, IOException, InterruptedException {
    TubeAcceptor.Wanted wanted = wanted(words, anyLocalUser ? null : AllowedUids.own());
    try (BusConnection bus = SessionBus.open(environment)) {
      TubeAcceptor acceptor = new TubeAcceptor(new TubeLines(json, showParameters, true));
      onInterruption(acceptor::cancel);
      acceptor.accept(bus, account, wanted);
      return ExitCode.OK.status();
    }
  }

  /** Of two words the second is an address if it has a colon, else they are contact and service. */
  static TubeAcceptor.Wanted wanted(List<String> words, @Nullable AllowedUids allowed)
      throws AgentException {
    String last = words.getLast();
    boolean addressed = words.size() == 3 || (words.size() == 2 && LocalAddress.isMeant(last));
    if (words.size() == 2 && last.matches("[0-9]+")) {
      throw new AgentException(
          ExitCode.USAGE, "\"" + last + "\" is no address: write 127.0.0.1:" + last);
    }
    String service = words.get(addressed ? words.size() - 2 : words.size() - 1);
    String contact = words.size() - (addressed ? 1 : 0) == 2 ? words.getFirst() : null;
    return new TubeAcceptor.Wanted(
        contact,
        service,
        LocalAddress.parse(addressed ? last : ANY_PORT, LocalAddress.Purpose.LISTEN),
        allowed);
  }
}
