package org.tpforward.agent;

import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * What an agent is started with.
 *
 * @param name of the agent, see {@link AgentName}
 * @param destination as for ssh: {@code [user@]host[:port]} or {@code ssh://…}
 * @param remoteBus a D-Bus address or an absolute path at the far end; null: to be found there
 * @param identities private keys, in the order in which they are tried (ssh's -i)
 * @param port 1 to 65535, null: what ssh's configuration says (ssh's -p)
 * @param configFile instead of the user's ssh configuration (ssh's -F)
 * @param sshOptions {@code Option=value}, the first of each counts (ssh's -o)
 * @param allowUids users who may connect to local sockets beside the one that runs the agent; each
 *     0 to 2^32-2
 * @param reconnect whether the agent outlives its link
 * @param interactive whether questions (passphrases, unknown host keys) may be asked on the
 *     terminal until the agent has started
 * @param linkWait how long a new bus client waits for a link that is down; positive
 */
public record AgentOptions(
    String name,
    String destination,
    @Nullable String remoteBus,
    List<Path> identities,
    @Nullable Integer port,
    @Nullable Path configFile,
    List<String> sshOptions,
    Set<Long> allowUids,
    boolean reconnect,
    boolean interactive,
    Duration linkWait) {

  /** As long as a D-Bus call usually waits for its reply. */
  public static final Duration DEFAULT_LINK_WAIT = Duration.ofSeconds(25);

  /** Copies the collections. */
  public AgentOptions {
    identities = List.copyOf(identities);
    sshOptions = List.copyOf(sshOptions);
    allowUids = Set.copyOf(allowUids);
  }
}
