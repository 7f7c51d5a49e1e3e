package org.tpforward.agent.link;

import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * The settings that hold for one destination, everything expanded (ssh_config(5)).
 *
 * @param host HostName: what is dialled
 * @param port what is dialled
 * @param user the login name
 * @param hostKeyAlias the name under which the host's key is known, or null for {@code host}
 * @param identityFiles private keys, in order
 * @param identitiesExplicit whether the user named them; a default that is missing is no news
 * @param certificateFiles further certificates
 * @param agent the socket of an ssh-agent, or null
 * @param identitiesOnly whether of the agent's keys only those in {@code identityFiles} are used
 * @param batchMode whether nobody may be asked anything
 * @param userKnownHosts the files that are read, the first of which is written
 * @param globalKnownHosts the files that are read only
 * @param strictHostKeys what happens to a host that is not known
 * @param hashKnownHosts whether a host's name is written as a hash
 * @param proxyCommand a shell command that connects its standard input and output to the host, all
 *     tokens replaced, or null
 * @param connectTimeout or null where none is set
 * @param aliveInterval ServerAliveInterval, or null where it is 0
 * @param aliveCount ServerAliveCountMax
 * @param passwordPrompts how often a password or a passphrase is asked for
 * @param preferredAuthentications the methods in order, those that are switched off left out
 * @param algorithms what the user chose of these, if anything
 */
record SshConfig(
    String host,
    int port,
    String user,
    @Nullable String hostKeyAlias,
    List<Path> identityFiles,
    boolean identitiesExplicit,
    List<Path> certificateFiles,
    @Nullable Path agent,
    boolean identitiesOnly,
    boolean batchMode,
    List<Path> userKnownHosts,
    List<Path> globalKnownHosts,
    StrictHostKeys strictHostKeys,
    boolean hashKnownHosts,
    @Nullable String proxyCommand,
    @Nullable Duration connectTimeout,
    @Nullable Duration aliveInterval,
    int aliveCount,
    int passwordPrompts,
    List<String> preferredAuthentications,
    Algorithms algorithms) {

  /** StrictHostKeyChecking. A changed or revoked key is refused under each of them. */
  enum StrictHostKeys {
    /** An unknown host is refused. */
    YES,
    /** The user is asked. */
    ASK,
    /** An unknown host is added, and the user told. */
    ACCEPT_NEW,
    /** As ACCEPT_NEW; what else ssh allows under it is not allowed here. */
    NO
  }

  /**
   * Names in order of preference; empty where the user left ssh's own choice, for which this
   * program then has one of its own.
   */
  record Algorithms(
      List<String> ciphers,
      List<String> macs,
      List<String> keyExchanges,
      List<String> hostKeys,
      List<String> publicKeys) {}

  /** The name under which known_hosts files know the host: {@code host} or {@code [host]:port}. */
  String knownAs() {
    if (hostKeyAlias != null) {
      return hostKeyAlias;
    }
    return port == 22 ? host : "[" + host + "]:" + port;
  }
}
