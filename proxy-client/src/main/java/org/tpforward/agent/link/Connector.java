package org.tpforward.agent.link;

import java.io.IOException;
import java.net.InetSocketAddress;
import java.nio.channels.ClosedChannelException;
import java.nio.channels.SocketChannel;
import java.nio.file.Path;
import java.security.KeyPair;
import java.time.Duration;
import java.util.EnumSet;
import java.util.List;
import java.util.Map;
import org.apache.sshd.client.SshClient;
import org.apache.sshd.client.auth.UserAuthFactory;
import org.apache.sshd.client.auth.keyboard.UserAuthKeyboardInteractiveFactory;
import org.apache.sshd.client.auth.password.UserAuthPasswordFactory;
import org.apache.sshd.client.future.AuthFuture;
import org.apache.sshd.client.future.ConnectFuture;
import org.apache.sshd.client.session.ClientConnectionServiceFactory;
import org.apache.sshd.client.session.ClientSession;
import org.apache.sshd.client.session.ClientSession.ClientSessionEvent;
import org.apache.sshd.core.CoreModuleProperties;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.tpforward.ssh.Dialer;
import org.tpforward.ssh.SshClients;

/** Makes one connection: dials, exchanges keys, checks the host, authenticates. Used once. */
final class Connector {
  private static final Logger log = LoggerFactory.getLogger(Connector.class);
  private static final Duration SLICE = Duration.ofMillis(200);
  // MINA's own time-out: longer than ours, which leave out the time a user takes to answer.
  private static final Duration LONGEST = Duration.ofHours(1);

  private final SshConfig config;
  private final LinkTimes times;
  private final Prompts prompts;
  private final HostKeyPolicy policy;
  private final ServerMethods methods = new ServerMethods();
  private final @Nullable ProxyProcess proxy;
  private final SshClient client;
  private final SessionEvents events = new SessionEvents();
  private final PublicKeyAuth keys;
  // Who resets the connection at once may do so before a session is there.
  private volatile boolean dialled;

  /**
   * @param interactive whether the user may be asked
   * @param unlocked keys whose passphrase was given before; further ones are added
   */
  Connector(
      SshConfig config,
      LinkTimes times,
      UserEnvironment environment,
      boolean interactive,
      Map<Path, KeyPair> unlocked)
      throws LinkException {
    this.config = config;
    this.times = times;
    this.prompts = new Prompts(environment, interactive && !config.batchMode());
    this.policy = new HostKeyPolicy(config, prompts);
    this.proxy =
        config.proxyCommand() == null
            ? null
            : new ProxyProcess(config.proxyCommand(), environment, interactive);
    client = SshClients.newClient(policy, proxy == null ? tcp() : proxy);
    keys = new PublicKeyAuth(config, prompts, unlocked, Algorithms.forKeys(config, client));
    Algorithms.apply(config, policy, client);
    client.setUserAuthFactories(userAuth());
    client.setUserInteraction(new Answers(config, prompts));
    client.setServiceFactories(List.of(methods, ClientConnectionServiceFactory.INSTANCE));
    client.addSessionListener(events);
    // As ssh: a certificate that is not valid is worth what the key in it is.
    CoreModuleProperties.ABORT_ON_INVALID_CERTIFICATE.set(client, false);
    CoreModuleProperties.AUTH_TIMEOUT.set(client, LONGEST);
    CoreModuleProperties.IO_CONNECT_TIMEOUT.set(client, connectTimeout());
    CoreModuleProperties.PASSWORD_PROMPTS.set(client, config.passwordPrompts());
  }

  private Dialer tcp() {
    // The name that the session goes by may be an alias; what is dialled is HostName.
    InetSocketAddress address = InetSocketAddress.createUnresolved(config.host(), config.port());
    return (remote, local, timeout) -> {
      SocketChannel channel = Dialer.tcp().dial(address, local, timeout);
      dialled = true;
      return channel;
    };
  }

  private List<UserAuthFactory> userAuth() throws LinkException {
    List<UserAuthFactory> factories =
        config.preferredAuthentications().stream()
            .map(method ->
                switch (method) {
                  case "publickey" -> keys;
                  case "password" -> UserAuthPasswordFactory.INSTANCE;
                  default -> UserAuthKeyboardInteractiveFactory.INSTANCE;
                })
            .map(UserAuthFactory.class::cast)
            .toList();
    if (factories.isEmpty()) {
      throw new LinkException(
          LinkException.Cause.CONFIGURATION,
          "the configuration leaves no method of authentication: this program knows publickey,"
              + " keyboard-interactive and password");
    }
    return factories;
  }

  private Duration connectTimeout() {
    Duration set = config.connectTimeout();
    return set == null ? times.connect() : set;
  }

  /**
   * Blocks until the connection is authenticated.
   *
   * @param closed is called when it is lost later, before its channels notice; by a thread of the
   *     connection's, and also if this side closes it
   */
  Connection connect(Runnable closed) throws LinkException {
    Failures failures = new Failures(config, proxy, policy, methods, keys);
    ClientSession session = null;
    boolean done = false;
    try {
      client.start();
      session = dial(failures);
      exchangeKeys(session, failures);
      authenticate(session, failures);
      Connection connection = new Connection(client, session, proxy, events.whyLost(), times);
      Duration alive = times.keepAlive() != null ? times.keepAlive() : config.aliveInterval();
      new KeepAlive(
              session,
              alive == null ? Duration.ofSeconds(15) : alive,
              config.aliveCount(),
              connection::giveUp)
          .start();
      events.onClose(closed);
      log.info(
          "connected to {}@{} ({})", config.user(), config.knownAs(), session.getServerVersion());
      done = true;
      return connection;
    } finally {
      if (!done) {
        if (session != null) {
          session.close(true);
        }
        client.stop();
        if (proxy != null) {
          proxy.close();
        }
      }
    }
  }

  private ClientSession dial(Failures failures) throws LinkException {
    // The name that a host certificate must be for.
    String name = config.hostKeyAlias() == null ? config.host() : config.hostKeyAlias();
    ConnectFuture connecting = null;
    try {
      connecting =
          client.connect(config.user(), InetSocketAddress.createUnresolved(name, config.port()));
      // The dialler has this bound itself; a little longer, so that its error is the one shown.
      return connecting.verify(connectTimeout().plusSeconds(2)).getClientSession();
    } catch (IOException e) {
      if (connecting != null) {
        connecting.cancel();
      }
      throw dialled ? failures.keyExchange(null, e) : failures.dialling(e, connectTimeout());
    }
  }

  private void exchangeKeys(ClientSession session, Failures failures) throws LinkException {
    Deadline deadline = new Deadline(connectTimeout());
    EnumSet<ClientSessionEvent> wanted =
        EnumSet.of(ClientSessionEvent.WAIT_AUTH, ClientSessionEvent.CLOSED);
    while (true) {
      var state = session.waitFor(wanted, SLICE);
      if (state.contains(ClientSessionEvent.CLOSED) || !session.isOpen()) {
        throw failures.keyExchange(session.getServerVersion(), events.problem());
      }
      if (state.contains(ClientSessionEvent.WAIT_AUTH)) {
        return;
      }
      if (deadline.isOver()) {
        throw failures.slowKeyExchange(session.getServerVersion(), connectTimeout());
      }
    }
  }

  private void authenticate(ClientSession session, Failures failures) throws LinkException {
    Deadline deadline = new Deadline(times.authenticate());
    try {
      AuthFuture auth = session.auth();
      while (!auth.await(SLICE)) {
        if (deadline.isOver()) {
          throw failures.slowAuthentication(times.authenticate());
        }
      }
      if (!auth.isSuccess()) {
        Throwable problem = auth.getException();
        throw failures.authentication(problem == null ? events.problem() : problem);
      }
    } catch (LinkException e) {
      throw e;
    } catch (ClosedChannelException e) {
      throw failures.authentication(events.problem());
    } catch (IOException | IllegalStateException e) {
      throw failures.authentication(e);
    }
  }

  /** A bound that leaves out the time for which the user is waited for. */
  private final class Deadline {
    private final long start = System.nanoTime();
    private final long asked = prompts.nanosAsking();
    private final Duration bound;

    Deadline(Duration bound) {
      this.bound = bound;
    }

    boolean isOver() {
      long waited = System.nanoTime() - start - (prompts.nanosAsking() - asked);
      return waited > bound.toNanos();
    }
  }
}
