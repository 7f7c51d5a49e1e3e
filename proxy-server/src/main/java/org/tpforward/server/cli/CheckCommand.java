package org.tpforward.server.cli;

import java.io.IOException;
import java.time.Duration;
import java.util.Map;
import java.util.concurrent.Callable;
import org.tpforward.dbus.BusConnection;
import org.tpforward.server.ServerConfig;
import org.tpforward.server.ServerException;
import org.tpforward.server.user.Keys;
import org.tpforward.socket.Connection;
import org.tpforward.socket.Endpoint;
import picocli.CommandLine;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** {@code tpforward-server check}: the same options, and only looks whether they would do. */
@CommandLine.Command(
    name = "check",
    description = "Checks the options, the keys and the bus, and serves nobody.")
final class CheckCommand implements Callable<Integer> {
  private static final Duration TIMEOUT = Duration.ofSeconds(10);

  private final Map<String, String> environment;

  @Mixin Options options = new Options();

  @Option(
      names = {"-h", "--help"},
      usageHelp = true,
      description = "Show this help.")
  boolean help;

  CheckCommand(Map<String, String> environment) {
    this.environment = environment;
  }

  @Override
  public Integer call() {
    options.configureLogging();
    try {
      ServerConfig config = options.toConfig(TpforwardServer.defaultBus(environment));
      Keys keys = Keys.read(config.authorizedKeys(), config.trustedAuthorities());
      if (keys.size() == 0) {
        throw new ServerException("nobody could log in: there is no usable key");
      }
      if (keys.problems() > 0) {
        throw new ServerException(keys.problems() + " lines with keys cannot be used");
      }
      if (config.bus() != null) {
        reach(config.bus());
      }
      System.out.println("good: " + keys.size() + " keys");
      return ExitStatus.OK.status();
    } catch (ServerException | IOException e) {
      Messages.error(e.getMessage());
      return ExitStatus.USAGE.status();
    }
  }

  private static void reach(Endpoint bus) throws ServerException {
    try {
      BusConnection.open(Connection.connect(bus, TIMEOUT), TIMEOUT).close();
    } catch (IOException e) {
      throw new ServerException("the bus at " + bus + " cannot be reached: " + e.getMessage(), e);
    }
  }
}
