package org.tpforward.server.channel;

import java.io.IOException;
import java.net.InetSocketAddress;
import java.time.Duration;
import java.util.concurrent.atomic.AtomicBoolean;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.tpforward.relay.Duplex;
import org.tpforward.relay.Threads;
import org.tpforward.server.audit.Audit;
import org.tpforward.server.bus.Grant;
import org.tpforward.server.bus.Listening;
import org.tpforward.socket.Connection;
import org.tpforward.socket.Endpoint;
import org.tpforward.socket.Listener;
import org.tpforward.ssh.SshServers;

/**
 * What this server listens on for a client, who offers it to a CM: nobody is accepted before that,
 * and nobody but that CM then. Each connection becomes a channel to the client.
 */
final class OfferedListener implements AutoCloseable {
  private static final Logger log = LoggerFactory.getLogger(OfferedListener.class);
  private static final Duration OPEN = Duration.ofSeconds(60);
  private static final Duration PAUSE = Duration.ofMillis(100);

  private final Audit audit;
  private final Visit visit;
  private final Listener listener;
  private final Listening listening;
  private final String type;
  private final AtomicBoolean closed = new AtomicBoolean();

  /**
   * Takes both over, and a place among the user's listeners.
   *
   * @param listening of the same address
   */
  OfferedListener(Audit audit, Visit visit, Listener listener, Listening listening) {
    this.audit = audit;
    this.visit = visit;
    this.listener = listener;
    this.listening = listening;
    this.type =
        listener.endpoint() instanceof Endpoint.Ip
            ? "forwarded-tcpip"
            : "forwarded-streamlocal@openssh.com";
  }

  Endpoint endpoint() {
    return listener.endpoint();
  }

  void start() {
    Threads.start("accept " + endpoint(), this::acceptAll);
  }

  private void acceptAll() {
    try {
      listening.awaitOffered();
      while (!closed.get()) {
        Connection connection;
        try {
          connection = listener.accept();
        } catch (IOException e) {
          if (closed.get() || !listener.isOpen()) {
            return;
          }
          log.warn("{}: cannot accept: {}", endpoint(), e.getMessage());
          Thread.sleep(PAUSE);
          continue;
        }
        admit(connection);
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    } catch (IOException e) {
      log.debug("{}: {}", endpoint(), e.getMessage());
    } finally {
      close();
    }
  }

  private void admit(Connection connection) {
    String wrong;
    try {
      Grant grant = listening.check(connection);
      if (visit.user().takeChannel()) {
        Passage passage = new Passage(audit, visit, type, endpoint().toString());
        try {
          Threads.start("forward " + endpoint(), () -> forward(connection, grant, passage));
        } catch (OutOfMemoryError e) { // How the JDK says that there is no further thread.
          connection.reset();
          passage.refused("no thread");
        }
        return;
      }
      wrong = "too many channels";
    } catch (IOException e) {
      wrong = String.valueOf(e.getMessage());
    }
    connection.reset();
    Passage.refused(audit, visit, type, endpoint().toString(), wrong);
  }

  private void forward(Connection connection, Grant grant, Passage passage) {
    Endpoint.Ip remote = connection.remote();
    Duplex channel;
    try {
      channel =
          SshServers.openForwarded(
              visit.session(),
              endpoint(),
              remote == null ? null : new InetSocketAddress(remote.address(), remote.port()),
              OPEN);
    } catch (IOException e) {
      connection.reset();
      passage.refused("the client: " + e.getMessage());
      return;
    }
    passage.relay(channel, connection, grant);
  }

  /** Stops listening; what is connected goes on. Idempotent. */
  @Override
  public void close() {
    if (closed.compareAndSet(false, true)) {
      listening.close();
      listener.close();
      visit.user().giveListenerBack();
      visit.forget(this);
    }
  }
}
