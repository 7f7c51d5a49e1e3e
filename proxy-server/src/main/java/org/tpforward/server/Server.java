package org.tpforward.server;

import java.io.IOException;
import java.net.BindException;
import java.nio.file.Path;
import java.security.KeyPair;
import java.time.Clock;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import org.apache.sshd.common.keyprovider.KeyPairProvider;
import org.apache.sshd.core.CoreModuleProperties;
import org.apache.sshd.server.SshServer;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.tpforward.server.audit.Audit;
import org.tpforward.server.channel.Gate;
import org.tpforward.server.channel.Peers;
import org.tpforward.server.channel.Visits;
import org.tpforward.server.user.Account;
import org.tpforward.server.user.Keys;
import org.tpforward.server.user.Logins;
import org.tpforward.socket.Endpoint;
import org.tpforward.ssh.Announcement;
import org.tpforward.ssh.SocketTransport;
import org.tpforward.ssh.SshServers;

/** A running server: what listens, who may log in, and what they may reach. */
public final class Server implements AutoCloseable {
  private static final Logger log = LoggerFactory.getLogger(Server.class);
  private static final Duration POLL = Duration.ofMillis(200);

  private final ServerConfig config;
  private final SshServer ssh;
  private final Logins logins;
  private final Audit audit;
  private final Gate gate;
  private final ListenDirectory directory;
  private final List<KeyPair> hostKeys;
  private final @Nullable MetricsServer metrics;
  private final @Nullable SpawnedBus spawned;

  private Server(
      ServerConfig config,
      Audit audit,
      ListenDirectory directory,
      Keys keys,
      ListeningSocket socket,
      Map<String, String> environment)
      throws ServerException {
    this.config = config;
    this.directory = directory;
    this.hostKeys = HostKeys.load(config.hostKeys());
    this.spawned = spawn(config, directory, environment);
    this.logins =
        new Logins(
            keys,
            (session, login, key, why) -> {
              audit.metrics().loginsRefused.increment();
              audit.write(
                  audit
                      .event("login refused")
                      .with("as", login)
                      .with("key", key)
                      .with("from", Peers.name(session.getRemoteAddress()))
                      .with("why", why));
            },
            Clock.systemUTC());
    this.audit = audit;
    this.gate = new Gate(audit, config.policy(), directory.path());
    this.ssh =
        SshServers.newServer(
            KeyPairProvider.wrap(hostKeys),
            logins,
            gate,
            new Announcement(true, true, Gate.BUS, directory.path().toString()));
    Startups startups = new Startups(config.startups());
    ssh.setIoServiceEventListener(startups);
    ssh.addSessionListener(startups);
    ssh.addSessionListener(new Visits(audit, this::bus, config.limits()));
    ssh.setHost(socket.address().getAddress().getHostAddress());
    ssh.setPort(socket.address().getPort());
    if (socket.channel() != null) {
      ssh.setIoServiceFactoryFactory(new SocketTransport(socket.channel()));
    }
    CoreModuleProperties.AUTH_TIMEOUT.set(ssh, config.grace());
    this.metrics =
        config.metrics() == null ? null : MetricsServer.start(config.metrics(), audit.metrics());
    CoreModuleProperties.SERVER_IDENTIFICATION.set(ssh, "tpforward-server");
  }

  /**
   * Starts. Called by a thread that lives as long as the process, if a bus is to be started.
   *
   * @param audit stays the caller's
   * @param environment of the process
   * @throws ServerException if it cannot: one line for a person
   */
  public static Server start(ServerConfig config, Audit audit, Map<String, String> environment)
      throws ServerException {
    Keys keys = keys(config);
    ListeningSocket socket = ListeningSocket.of(config.listen());
    ListenDirectory directory =
        ListenDirectory.open(
            config.directory() != null
                ? config.directory()
                : ListenDirectory.usual(environment, socket.address().getPort()));
    Server server = null;
    boolean started = false;
    try {
      server = new Server(config, audit, directory, keys, socket, environment);
      server.ssh.start();
      started = true;
      return server;
    } catch (BindException e) {
      throw new ServerException(
          "cannot listen on "
              + Peers.name(socket.address())
              + ": "
              + e.getMessage()
              + " (is another tpforward-server or sshd there?)",
          e);
    } catch (IOException e) {
      throw new ServerException("cannot listen on " + Peers.name(socket.address()) + ": " + e, e);
    } finally {
      if (!started) {
        if (server != null) {
          server.close();
        }
        directory.close();
      }
    }
  }

  /** A bus of its own, if it is to have one; what an earlier server left of one is removed. */
  private static @Nullable SpawnedBus spawn(
      ServerConfig config, ListenDirectory directory, Map<String, String> environment)
      throws ServerException {
    Path path = directory.path().resolveSibling(directory.path().getFileName() + ".bus");
    if (config.spawnBus()) {
      return SpawnedBus.start(path, environment);
    }
    try {
      SpawnedBus.removeLeft(path);
    } catch (IOException e) {
      log.debug("{} is left: {}", path, e.getMessage());
    }
    return null;
  }

  private static Keys keys(ServerConfig config) throws ServerException {
    try {
      return Keys.read(config.authorizedKeys(), config.trustedAuthorities());
    } catch (IOException e) {
      throw new ServerException(String.valueOf(e.getMessage()), e);
    }
  }

  private Endpoint bus(Account account) throws IOException {
    String own = account.bus();
    try {
      if (own != null) {
        return BusEndpoints.of(own);
      }
    } catch (ServerException e) {
      throw new IOException("TPFORWARD_BUS of the key's line: " + e.getMessage(), e);
    }
    if (spawned != null) {
      return spawned.endpoint();
    }
    if (config.bus() == null) {
      throw new IOException("no bus is named for this key, and there is no --bus");
    }
    return config.bus();
  }

  /** The port on which it listens. */
  public int port() {
    return ssh.getPort();
  }

  /** Each host key's kind and fingerprint. */
  public List<String> fingerprints() {
    return hostKeys.stream().map(HostKeys::describe).toList();
  }

  /** Reads the keys again; those that were there stay if that fails. Who is logged in stays. */
  public void reload() {
    try {
      Keys read = keys(config);
      logins.use(read);
      log.info("read the keys again: {}", read.size());
    } catch (ServerException e) {
      log.error("the keys were not read again: {}", e.getMessage());
    }
  }

  /**
   * Takes no more connections and opens no more channels, lets open streams to and from sockets go
   * on until they end or time is up, and ends.
   */
  public void drain() throws InterruptedException {
    gate.end();
    SshServers.stopListening(ssh);
    long end = System.nanoTime() + config.drain().toNanos();
    while (audit.metrics().socketChannelsNow.sum() > 0 && System.nanoTime() < end) {
      Thread.sleep(POLL);
    }
    close();
  }

  /** Ends all connections at once. Idempotent. */
  @Override
  public void close() {
    try {
      ssh.stop(true);
    } catch (IOException e) {
      log.warn("{}", e.toString());
    }
    if (metrics != null) {
      metrics.close();
    }
    if (spawned != null) {
      spawned.close();
    }
    directory.close();
  }
}
