package org.tpforward.server.cli;

import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.UnknownHostException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.tpforward.process.Logging;
import org.tpforward.server.BusEndpoints;
import org.tpforward.server.ServerConfig;
import org.tpforward.server.ServerException;
import org.tpforward.server.bus.BusPolicy;
import org.tpforward.server.channel.Limits;
import org.tpforward.socket.Endpoint;
import picocli.CommandLine.Option;

/** What a server is told on its command line, or in its configuration file. */
final class Options {
  private static final int MAX_LISTENERS = 128;

  @Option(
      names = "--config",
      paramLabel = "FILE",
      description = "Read options from FILE first: one a line, as here but without the dashes.")
  @Nullable Path config;

  @Option(
      names = "--listen",
      paramLabel = "HOST:PORT",
      description =
          "Where to listen for SSH; an IPv6 address in brackets; - for standard input, which is a"
              + " listening socket then. Default: ${DEFAULT-VALUE}.",
      defaultValue = "127.0.0.1:2222")
  String listen = "";

  @Option(
      names = "--authorized-keys",
      paramLabel = "FILE",
      description = "Who may log in, in the format of ssh's authorized_keys.")
  @Nullable Path authorizedKeys;

  @Option(
      names = "--trusted-user-ca-keys",
      paramLabel = "FILE",
      description = "Public keys whose certificates may log in as their principals.")
  @Nullable Path trustedUserCaKeys;

  @Option(
      names = "--host-key",
      paramLabel = "FILE",
      description = "The server's private key; made if it is missing. May be given again.")
  List<Path> hostKeys = new ArrayList<>();

  @Option(
      names = "--bus",
      paramLabel = "ADDRESS",
      description =
          "The bus to give out, such as unix:path=/run/user/1000/bus. Default: where systemd has"
              + " the user's, or DBUS_SESSION_BUS_ADDRESS.")
  @Nullable String bus;

  @Option(
      names = "--spawn-bus",
      description =
          "Start a dbus-daemon of the server's own with connection managers only, and give out"
              + " that.")
  boolean spawnBus;

  @Option(
      names = "--allow-name",
      paramLabel = "NAME",
      description =
          "Let a name be seen and called besides Telepathy's; NAME.* with all below it. May be"
              + " given again.")
  List<String> allowNames = new ArrayList<>();

  @Option(
      names = "--allow-call",
      paramLabel = "NAME=RULE",
      description =
          "Let a name be seen, and called by RULE only: [INTERFACE.MEMBER][@PATH]. May be given"
              + " again.")
  List<String> allowCalls = new ArrayList<>();

  @Option(
      names = "--listen-directory",
      paramLabel = "DIR",
      description = "Where clients' offered sockets lie. Default: in the runtime directory.")
  @Nullable Path listenDirectory;

  @Option(
      names = "--audit",
      paramLabel = "FILE",
      description = "Append audit lines (JSON) to FILE instead of standard output.")
  @Nullable Path audit;

  @Option(
      names = "--max-startups",
      paramLabel = "N",
      description = "Connections that are not logged in yet. Default: ${DEFAULT-VALUE}.",
      defaultValue = "100")
  int maxStartups;

  @Option(
      names = "--login-grace-time",
      paramLabel = "SECONDS",
      description = "How long a connection may take to log in. Default: ${DEFAULT-VALUE}.",
      defaultValue = "60")
  int loginGraceTime;

  @Option(
      names = "--max-logins",
      paramLabel = "N",
      description = "Connections of one user. Default: ${DEFAULT-VALUE}.",
      defaultValue = "16")
  int maxLogins;

  @Option(
      names = "--max-channels",
      paramLabel = "N",
      description = "Channels of one user. Default: ${DEFAULT-VALUE}.",
      defaultValue = "1024")
  int maxChannels;

  @Option(
      names = "--drain",
      paramLabel = "SECONDS",
      description = "How long open streams may go on after SIGTERM. Default: ${DEFAULT-VALUE}.",
      defaultValue = "30")
  int drain;

  @Option(
      names = "--metrics",
      paramLabel = "HOST:PORT",
      description = "Show counters to Prometheus at this port of loopback, under /metrics.")
  @Nullable String metrics;

  @Option(names = "-v", description = "Say what happens; twice for everything.")
  boolean[] verbose = {};

  /** Has as much logged as was asked for. */
  void configureLogging() {
    // What MINA says of each session is in the audit, in this program's words.
    Logging.configure(verbose.length, verbose.length >= 2 ? 1 : -1);
  }

  /**
   * All of it, checked.
   *
   * @param defaultBus from the environment, or null
   * @throws ServerException saying which one is wrong
   */
  ServerConfig toConfig(@Nullable String defaultBus) throws ServerException {
    if (authorizedKeys == null && trustedUserCaKeys == null) {
      throw new ServerException(
          "nobody could log in: name --authorized-keys or --trusted-user-ca-keys");
    }
    if (hostKeys.isEmpty()) {
      throw new ServerException("name a --host-key; its file is made if it is missing");
    }
    if (bus != null && spawnBus) {
      throw new ServerException("--bus and --spawn-bus name two buses");
    }
    return new ServerConfig(
        listen.equals("-") ? null : address("--listen", listen),
        authorizedKeys,
        trustedUserCaKeys,
        hostKeys,
        spawnBus ? null : endpoint(bus != null ? bus : defaultBus),
        spawnBus,
        policy(),
        listenDirectory == null ? null : listenDirectory.toAbsolutePath().normalize(),
        positive("--max-startups", maxStartups),
        Duration.ofSeconds(positive("--login-grace-time", loginGraceTime)),
        new Limits(
            positive("--max-logins", maxLogins),
            positive("--max-channels", maxChannels),
            MAX_LISTENERS,
            Limits.channelsThatFit()),
        Duration.ofSeconds(Math.max(0, drain)),
        metrics == null ? null : address("--metrics", metrics));
  }

  private static @Nullable Endpoint endpoint(@Nullable String address) throws ServerException {
    return address == null ? null : BusEndpoints.of(address);
  }

  private BusPolicy policy() throws ServerException {
    try {
      return new BusPolicy(allowNames, allowCalls);
    } catch (IllegalArgumentException e) {
      throw new ServerException(String.valueOf(e.getMessage()), e);
    }
  }

  private static int positive(String name, int value) throws ServerException {
    if (value < 1) {
      throw new ServerException(name + " must be at least 1");
    }
    return value;
  }

  private static InetSocketAddress address(String name, String text) throws ServerException {
    int colon = text.lastIndexOf(':');
    String port = text.substring(colon + 1);
    if (colon < 1 || !port.matches("[0-9]{1,5}") || Integer.parseInt(port) > 65535) {
      throw new ServerException(name + " is not HOST:PORT: " + text);
    }
    String host = text.substring(0, colon);
    if (host.startsWith("[") && host.endsWith("]")) {
      host = host.substring(1, host.length() - 1);
    }
    try {
      return new InetSocketAddress(InetAddress.getByName(host), Integer.parseInt(port));
    } catch (UnknownHostException e) {
      throw new ServerException(name + " names a host that is not known: " + host, e);
    }
  }
}
