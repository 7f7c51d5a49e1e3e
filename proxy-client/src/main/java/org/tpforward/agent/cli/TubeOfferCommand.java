package org.tpforward.agent.cli;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import org.tpforward.agent.AgentException;
import org.tpforward.agent.ExitCode;
import org.tpforward.agent.telepathy.SessionBus;
import org.tpforward.agent.telepathy.Tube;
import org.tpforward.agent.telepathy.TubeOfferer;
import org.tpforward.dbus.BusConnection;
import org.tpforward.socket.Endpoint;
import picocli.CommandLine;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** {@code tpforward tube offer}. */
@CommandLine.Command(
    name = "offer",
    header = "Offers a service of this machine to a contact.",
    description =
        "Lets CONTACT connect to what listens at ADDRESS, as often as it likes, until the tube is"
            + " closed or this program ends.")
final class TubeOfferCommand extends Command {
  private static final int TYPE = 0170000; // S_IFMT
  private static final int SOCKET = 0140000; // S_IFSOCK

  private final Map<String, String> environment;

  @Option(names = "--account", paramLabel = "ACCOUNT", description = Accounts.HELP)
  private @Nullable String account;

  @Mixin private final TubeParameters parameters = new TubeParameters();

  @Option(names = "--json", description = "Print an object for each event, each on one line.")
  private boolean json;

  @Parameters(index = "0", paramLabel = "CONTACT", description = "Who, as the network names them.")
  private String contact = "";

  @Parameters(
      index = "1",
      paramLabel = "SERVICE",
      description = "What it is, such as http or rfb: the other end asks for it by this name.")
  private String service = "";

  @Parameters(
      index = "2",
      paramLabel = "ADDRESS",
      description = "Where it listens: HOST:PORT on loopback, [::1]:PORT, unix:/PATH, unix:@NAME.")
  private String address = "";

  TubeOfferCommand(Map<String, String> environment) {
    this.environment = environment;
  }

  @Override
  int execute() throws AgentException, IOException, InterruptedException {
    Endpoint where = LocalAddress.parse(address, LocalAddress.Purpose.CONNECT);
    if (where instanceof Endpoint.UnixPath(String path) && isNoSocket(Path.of(path))) {
      throw new AgentException(
          ExitCode.USAGE, "\"" + address + "\" is no address: " + path + " is no socket");
    }
    Tube tube = new Tube(service, contact, where, parameters.read());
    try (BusConnection bus = SessionBus.open(environment)) {
      TubeOfferer offerer =
          new TubeOfferer(runtime(environment), new TubeLines(json, false, false));
      onInterruption(offerer::cancel);
      offerer.offer(bus, account, tube);
      return ExitCode.OK.status();
    }
  }

  /** What is not there yet may come; what is something else will not become a socket. */
  private static boolean isNoSocket(Path path) throws IOException {
    return Files.exists(path) && ((Integer) Files.getAttribute(path, "unix:mode") & TYPE) != SOCKET;
  }

  private static Path runtime(Map<String, String> environment) {
    Path runtime = Path.of(environment.getOrDefault("XDG_RUNTIME_DIR", ""));
    return runtime.isAbsolute() && Files.isWritable(runtime)
        ? runtime
        : Path.of(System.getProperty("java.io.tmpdir", "/tmp"));
  }
}
