package org.tpforward.agent.cli;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;
import org.jspecify.annotations.Nullable;
import org.tpforward.agent.AgentException;
import org.tpforward.agent.AgentName;
import org.tpforward.agent.AgentOptions;
import org.tpforward.agent.ExitCode;
import picocli.CommandLine.Option;

/** The options that say which agent, for {@code agent} and {@code run}. */
final class AgentArguments {
  private static final long MAX_UID = 0xffff_fffeL;
  private static final int MAX_PORT = 65535;

  @Option(
      names = "--name",
      paramLabel = "NAME",
      description = "The agent's name: 1 to 32 of A-Z a-z 0-9 . _ -")
  @Nullable String name;

  @Option(
      names = "--remote-bus",
      paramLabel = "ADDRESS",
      description =
          "The bus at the far end: a D-Bus address, or the path of its socket."
              + " Else /run/user/UID/bus, then what a login shell there has.")
  @Nullable String remoteBus;

  @Option(
      names = "-i",
      paramLabel = "FILE",
      description = "A private key, as for ssh; may be repeated.")
  List<Path> identities = new ArrayList<>();

  @Option(names = "-p", paramLabel = "PORT", description = "The port of the SSH server.")
  @Nullable Integer port;

  @Option(
      names = "-F",
      paramLabel = "FILE",
      description = "Another configuration file than ~/.ssh/config.")
  @Nullable Path configFile;

  @Option(
      names = "-o",
      paramLabel = "OPTION=VALUE",
      description = "An option as in ssh_config(5); may be repeated.")
  List<String> sshOptions = new ArrayList<>();

  @Option(
      names = "--allow-uid",
      paramLabel = "UID",
      description = "Another user who may connect to the local sockets; may be repeated.")
  Set<Long> allowUids = new LinkedHashSet<>();

  /**
   * Checks what was given.
   *
   * @param defaultName for who gave none
   */
  AgentOptions options(String destination, String defaultName, boolean reconnect)
      throws AgentException {
    if (destination.isEmpty() || destination.startsWith("-")) {
      throw wrong("\"" + destination + "\" is no destination: give [user@]host[:port]");
    }
    String chosen = name == null ? defaultName : name;
    String problem = AgentName.problem(chosen);
    if (problem != null) {
      throw wrong("--name \"" + chosen + "\": " + problem);
    }
    if (port != null && (port < 1 || port > MAX_PORT)) {
      throw wrong("-p " + port + ": a port is 1 to " + MAX_PORT);
    }
    for (long uid : allowUids) {
      if (uid < 0 || uid > MAX_UID) {
        throw wrong("--allow-uid " + uid + ": a uid is 0 to " + MAX_UID);
      }
    }
    for (String option : sshOptions) {
      if (!option.matches("(?s)\\s*\\w+\\s*[=\\s].*")) {
        throw wrong("-o " + option + ": give Option=value, as in ssh_config(5)");
      }
    }
    return new AgentOptions(
        chosen,
        destination,
        remoteBus,
        identities.stream().map(AgentArguments::absolute).toList(),
        port,
        configFile == null ? null : absolute(configFile),
        sshOptions,
        allowUids,
        reconnect,
        true,
        AgentOptions.DEFAULT_LINK_WAIT);
  }

  /** ssh's own "none", and what only ssh's rules expand, stay as they are. */
  private static Path absolute(Path path) {
    return path.startsWith("~") || path.toString().equals("none") ? path : path.toAbsolutePath();
  }

  private static AgentException wrong(String line) {
    return new AgentException(ExitCode.USAGE, line);
  }
}
