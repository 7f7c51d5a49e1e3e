package org.tpforward.agent.bus;

import java.io.Closeable;
import java.io.IOException;
import java.time.Duration;
import java.util.Set;
import java.util.UUID;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.Semaphore;
import java.util.concurrent.atomic.LongAdder;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.tpforward.agent.forward.Forwards;
import org.tpforward.agent.link.Link;
import org.tpforward.dbus.SaslClient;
import org.tpforward.dbus.SaslServer;
import org.tpforward.relay.Duplex;
import org.tpforward.relay.Threads;
import org.tpforward.socket.AllowedUids;
import org.tpforward.socket.Connection;
import org.tpforward.socket.Listener;
import org.tpforward.socket.PeerCredentials;

/**
 * The forwarded bus: a local socket on which each client gets its own channel to the remote bus.
 *
 * <p>SASL ends on both sides, so the uids need not be the same. A client is checked by the kernel's
 * peer credentials before a byte of it is read and before a channel opens.
 */
public final class BusServer implements Closeable {
  private static final Logger log = LoggerFactory.getLogger(BusServer.class);

  /** As dbus-daemon: how many may be in the middle of SASL. */
  private static final int MAX_UNAUTHENTICATED = 64;

  private static final int MAX_CLIENTS = 4096;

  private final Listener listener;
  private final AllowedUids allowed;
  private final Control control;
  private final Control.BusOpener opener;
  private final Link link;
  private final Forwards forwards;
  private final AbilityTranslation abilities;
  private final Duration saslTimeout;
  private final String guid = newGuid();
  private final Semaphore unauthenticated = new Semaphore(MAX_UNAUTHENTICATED);
  private final Semaphore places = new Semaphore(MAX_CLIENTS);
  private final Set<Connection> connections = ConcurrentHashMap.newKeySet();
  private final Set<BusClient> clients = ConcurrentHashMap.newKeySet();
  private final LongAdder served = new LongAdder();
  private final LongAdder refused = new LongAdder();

  /**
   * @param listener where clients connect; closed with this
   * @param opener opens a channel to the remote bus
   * @param saslTimeout how long a client's SASL exchange may take, then the agent's own with the
   *     remote bus, then the reply to Hello; dbus-daemon allows 30 s
   */
  public BusServer(
      Listener listener,
      AllowedUids allowed,
      Control control,
      Control.BusOpener opener,
      Link link,
      Forwards forwards,
      Duration saslTimeout) {
    this.listener = listener;
    this.allowed = allowed;
    this.control = control;
    this.opener = opener;
    this.link = link;
    this.forwards = forwards;
    this.abilities = new AbilityTranslation(link);
    this.saslTimeout = saslTimeout;
  }

  /** Begins to accept. */
  public void start() {
    Threads.start("accept bus", this::acceptAll);
  }

  /** How many clients are on the bus now. */
  public int clients() {
    return clients.size();
  }

  /** How many clients came so far. */
  public long served() {
    return served.sum();
  }

  /** How many connections were disconnected because of who made them. */
  public long refusedConnections() {
    return refused.sum();
  }

  /** Disconnects all clients; the socket goes on. From any thread. */
  public void disconnectAll() {
    clients.forEach(BusClient::disconnect);
  }

  /** Ends the socket and all its connections, those that are not clients yet included. */
  @Override
  public void close() {
    listener.close();
    connections.forEach(Connection::close);
  }

  private void acceptAll() {
    long number = 0;
    while (listener.isOpen()) {
      try {
        // The limit is taken before accept: who is too many waits in the kernel's queue.
        unauthenticated.acquire();
        begin(++number, listener.accept());
      } catch (IOException e) {
        unauthenticated.release();
        if (listener.isOpen()) {
          log.warn("the bus socket cannot accept: {}", e.toString());
          pause();
        }
      } catch (InterruptedException e) {
        return;
      }
    }
  }

  private void begin(long number, Connection connection) {
    connections.add(connection);
    if (!listener.isOpen()) {
      connection.close(); // Closed after accept: nobody else has seen this one.
    }
    try {
      Threads.start("bus #" + number + " up", () -> serve(number, connection));
    } catch (OutOfMemoryError e) { // How the JDK says that there is no further thread.
      log.warn("a bus client is disconnected: {}", e.getMessage());
      unauthenticated.release();
      end(connection);
    }
  }

  private void end(Connection connection) {
    connection.close();
    connections.remove(connection);
  }

  private void serve(long number, Connection connection) {
    try {
      SaslServer.Result sasl;
      try {
        sasl = authenticate("#" + number, connection);
      } finally {
        unauthenticated.release();
      }
      if (sasl != null) {
        admit(number, connection, sasl);
      }
    } finally {
      end(connection);
    }
  }

  private void admit(long number, Connection connection, SaslServer.Result sasl) {
    if (!places.tryAcquire()) {
      log.warn("bus client #{} is disconnected: {} are connected already", number, MAX_CLIENTS);
      return;
    }
    try {
      carry(number, connection, sasl);
    } finally {
      places.release();
    }
  }

  private SaslServer.@Nullable Result authenticate(String name, Connection connection) {
    try {
      PeerCredentials peer = PeerCredentials.of(connection);
      if (!allowed.allows(peer)) {
        refused.increment();
        log.warn("a connection to the bus is disconnected: {} is not allowed", peer);
        return null;
      }
      return SaslServer.authenticate(
          connection, peer.uid(), uid -> uid == peer.uid(), guid, saslTimeout);
    } catch (IOException | RuntimeException e) {
      if (listener.isOpen()) {
        log.warn("bus client {} is disconnected: {}", name, e.getMessage());
      }
      return null;
    }
  }

  private void carry(long number, Connection connection, SaslServer.Result sasl) {
    String name = "#" + number;
    BusClient client = null;
    try (Duplex bus = opener.open()) {
      control.connect();
      SaslClient.Result remote = SaslClient.external(bus, saslTimeout);
      Translator translator =
          new Translator(
              control, abilities, new SocketTranslation(control, link, forwards, number));
      client =
          new BusClient(
              name,
              saslTimeout,
              connection,
              sasl.leftOver(),
              bus,
              remote.leftOver(),
              translator,
              event -> forwards.delivered(event, number));
      clients.add(client);
      served.increment();
      BusClient running = client;
      Thread down =
          Threads.start("bus " + name + " down", () -> running.pumpToClient(control::joined));
      running.pumpToBus();
      down.join();
    } catch (IOException e) {
      log.warn("bus client {} cannot reach the remote bus: {}", name, e.getMessage());
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    } finally {
      if (client != null) {
        client.close();
        clients.remove(client);
        forwards.clientGone(number);
        String uniqueName = client.uniqueName();
        if (uniqueName != null) {
          control.left(uniqueName);
        }
      }
    }
  }

  /** 32 hexadecimal digits, as D-Bus has its UUIDs. */
  private static String newGuid() {
    return UUID.randomUUID().toString().replace("-", "");
  }

  private static void pause() {
    try {
      Thread.sleep(200);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }
}
