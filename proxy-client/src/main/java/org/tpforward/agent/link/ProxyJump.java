package org.tpforward.agent.link;

import java.nio.file.Path;

/** Turns ProxyJump into the ProxyCommand that ssh itself makes of it. */
final class ProxyJump {
  private ProxyJump() {}

  /**
   * Makes a shell command.
   *
   * @param jump one hop or more, with commas between: the last one connects to the host
   * @return a command in which {@code %h} and {@code %p} stand for the host
   */
  static String command(String jump, LinkOptions options, UserEnvironment environment)
      throws LinkException {
    Path ssh = environment.program("ssh");
    if (ssh == null) {
      throw new LinkException(
          LinkException.Cause.CONFIGURATION,
          "ProxyJump needs the program ssh (Debian: openssh-client), or use a ProxyCommand");
    }
    int comma = jump.lastIndexOf(',');
    Destination last;
    try {
      last = Destination.parse(jump.substring(comma + 1).strip());
      for (String hop : comma < 0 ? new String[0] : jump.substring(0, comma).split(",", -1)) {
        Destination.parse(hop.strip());
      }
    } catch (IllegalArgumentException e) {
      throw new LinkException(LinkException.Cause.CONFIGURATION, "ProxyJump: " + e.getMessage(), e);
    }
    StringBuilder command = new StringBuilder(quoted(ssh.toString()));
    if (last.user() != null) {
      command.append(" -l ").append(quoted(last.user()));
    }
    if (last.port() != 0) {
      command.append(" -p ").append(last.port());
    }
    String config = SshConfigReader.configFile(options, environment);
    if (config != null) {
      command.append(" -F ").append(quoted(config));
    }
    if (comma >= 0) {
      command.append(" -J ").append(quoted(jump.substring(0, comma)));
    }
    if (!options.interactive()) {
      command.append(" -o BatchMode=yes");
    }
    return command.append(" -W '[%h]:%p' ").append(quoted(last.host())).toString();
  }

  /** For the shell, and for the replacement of tokens that comes before it. */
  private static String quoted(String word) {
    return "'" + word.replace("'", "'\\''").replace("%", "%%") + "'";
  }
}
