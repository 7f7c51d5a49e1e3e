package org.tpforward.server;

import java.net.InetSocketAddress;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.tpforward.server.bus.BusPolicy;
import org.tpforward.server.channel.Limits;
import org.tpforward.socket.Endpoint;

/**
 * All that a server is told.
 *
 * @param listen resolved; port 0 for one of the system's choice; null for a socket that listens
 *     already, and is this process's standard input
 * @param authorizedKeys in the format of authorized_keys, or null
 * @param trustedAuthorities public keys of certificate authorities, or null
 * @param hostKeys the first is made where it is missing; at least one
 * @param bus whose key's line names no other; null if every line must
 * @param spawnBus whether to start a bus, in the place of that one
 * @param policy of all buses
 * @param directory in which clients may have this server listen; null for the usual place
 * @param startups connections that are not logged in yet, at most; as MaxStartups of sshd
 * @param grace how long such a connection may take to log in
 * @param limits of each user
 * @param drain how long open channels may go on once the server is told to end
 * @param metrics a port of loopback for Prometheus, or null
 */
public record ServerConfig(
    @Nullable InetSocketAddress listen,
    @Nullable Path authorizedKeys,
    @Nullable Path trustedAuthorities,
    List<Path> hostKeys,
    @Nullable Endpoint bus,
    boolean spawnBus,
    BusPolicy policy,
    @Nullable Path directory,
    int startups,
    Duration grace,
    Limits limits,
    Duration drain,
    @Nullable InetSocketAddress metrics) {
  /** Takes a copy of the list. */
  public ServerConfig {
    hostKeys = List.copyOf(hostKeys);
  }
}
