package org.tpforward.agent.bus;

import com.google.common.util.concurrent.Striped;
import java.io.Closeable;
import java.io.IOException;
import java.io.InterruptedIOException;
import java.net.SocketTimeoutException;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.tpforward.agent.forward.ChannelEvent;
import org.tpforward.agent.forward.ChannelKey;
import org.tpforward.dbus.BusConnection;
import org.tpforward.dbus.DBusErrorException;
import org.tpforward.dbus.Value;
import org.tpforward.relay.Duplex;
import org.tpforward.telepathy.Names;

/**
 * The agent's own connection to the remote bus: learns of channels and names that end, and answers
 * what the agent must know while it holds a client's message. Reopened by whoever needs it after
 * the bus or the link was lost. Thread-safe.
 */
public final class Control implements RemoteNames, Closeable {
  private static final Logger log = LoggerFactory.getLogger(Control.class);
  private static final String BUS = "org.freedesktop.DBus";
  private static final String BUS_PATH = "/org/freedesktop/DBus";
  private static final String NAME_HAS_NO_OWNER = "org.freedesktop.DBus.Error.NameHasNoOwner";

  /**
   * How many calls to one CM may wait for replies: fewer than the connection can have, so that a CM
   * that hangs holds up nobody else's.
   */
  private static final int MAX_CALLS_TO_ONE = BusConnection.MAX_CALLS / 4;

  /**
   * Everybody on the remote bus may send this connection what he likes: no more is decoded than a
   * channel's properties have, or one of the few signals.
   */
  private static final BusConnection.Inbound INBOUND =
      new BusConnection.Inbound(1 << 20, ChannelEvents::isOne);

  /** Opens a channel to the remote bus, before SASL. */
  @FunctionalInterface
  public interface BusOpener {
    /** Waits for the link, within the agent's bound. */
    Duplex open() throws IOException;
  }

  private final BusOpener opener;
  private final Duration timeout;
  private final Consumer<ChannelEvent> events;
  private final Runnable lost;
  private final Set<String> ours = ConcurrentHashMap.newKeySet();
  private final Striped<Semaphore> callsToCms = Striped.lazyWeakSemaphore(64, MAX_CALLS_TO_ONE);
  private final Object connecting = new Object();
  private volatile @Nullable BusConnection connection;
  private volatile boolean closed;

  /**
   * @param timeout how long a CM may take to answer; longer than D-Bus clients wait by default
   *     makes no sense
   * @param events told in order, on the connection's thread; must not block
   * @param lost told when the connection to the bus ends; must not block
   */
  public Control(BusOpener opener, Duration timeout, Consumer<ChannelEvent> events, Runnable lost) {
    this.opener = opener;
    this.timeout = timeout;
    this.events = events;
    this.lost = lost;
  }

  /**
   * Connects if that is not done yet: from its return on no channel event is missed.
   *
   * @throws IOException if there is no bus at the far end, with a line that says so
   */
  public BusConnection connect() throws IOException {
    BusConnection current = connection;
    if (current != null && current.isOpen()) {
      return current;
    }
    synchronized (connecting) {
      current = connection;
      if (current != null && current.isOpen()) {
        return current;
      }
      if (closed) {
        throw agentEnds();
      }
      BusConnection fresh = open();
      connection = fresh;
      if (closed) {
        fresh.close();
        throw agentEnds();
      }
      return fresh;
    }
  }

  private BusConnection open() throws IOException {
    BusConnection fresh = BusConnection.open(opener.open(), timeout, INBOUND);
    try {
      fresh.onSignal(signal -> {
        try {
          ChannelEvents.of(signal.header(), signal::body).ifPresent(events);
        } catch (IOException e) {
          log.warn("a signal on the control connection is malformed: {}", e.getMessage());
        }
      });
      for (String rule : ChannelEvents.MATCH_RULES) {
        fresh.addMatch(rule);
      }
      fresh.onClosed(lost);
      return fresh;
    } catch (IOException | DBusErrorException e) {
      fresh.close();
      throw new IOException(
          "the remote bus does not take the agent's match rules: " + e.getMessage(), e);
    }
  }

  private static IOException agentEnds() {
    return new IOException("the agent is ending");
  }

  /** A client of this agent has got that unique name. */
  void joined(String uniqueName) {
    ours.add(uniqueName);
  }

  /** A client of this agent has left the bus. */
  void left(String uniqueName) {
    ours.remove(uniqueName);
  }

  @Override
  public boolean isOurs(String uniqueName) {
    return ours.contains(uniqueName);
  }

  @Override
  public @Nullable String ownerOf(String name) throws IOException {
    if (name.startsWith(":") || name.equals(BUS)) {
      return name;
    }
    try {
      List<Value> reply =
          connect().call(BUS, BUS_PATH, BUS, "GetNameOwner", timeout, Value.of(name));
      return !reply.isEmpty() && reply.get(0) instanceof Value.Str(String owner) ? owner : null;
    } catch (DBusErrorException e) {
      if (!e.errorName().equals(NAME_HAS_NO_OWNER)) {
        log.info("GetNameOwner of {}: {}: {}", name, e.errorName(), e.getMessage());
      }
      return null;
    }
  }

  @Override
  public Value.Dict properties(ChannelKey channel, String interfaceName)
      throws DBusErrorException, IOException {
    List<Value> reply = call(channel, Names.PROPERTIES, "GetAll", Value.of(interfaceName));
    if (reply.isEmpty() || !(reply.get(0) instanceof Value.Dict properties)) {
      throw new IOException("the CM's reply to GetAll is no dictionary");
    }
    return properties;
  }

  @Override
  public Value ask(ChannelKey channel, String interfaceName, String member)
      throws DBusErrorException, IOException {
    List<Value> reply = call(channel, interfaceName, member);
    if (reply.isEmpty()) {
      throw new IOException("the CM's reply to " + member + " is empty");
    }
    return reply.get(0);
  }

  private List<Value> call(
      ChannelKey channel, String interfaceName, String member, Value... arguments)
      throws DBusErrorException, IOException {
    Semaphore place = callsToCms.get(channel.owner());
    try {
      if (!place.tryAcquire(timeout.toMillis(), TimeUnit.MILLISECONDS)) {
        throw new SocketTimeoutException(channel.owner() + " has not answered earlier calls yet");
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new InterruptedIOException("interrupted before a call of " + member);
    }
    try {
      return connect()
          .call(channel.owner(), channel.path(), interfaceName, member, timeout, arguments);
    } finally {
      place.release();
    }
  }

  /** The agent's unique name on the remote bus, while it is connected. */
  public Optional<String> uniqueName() {
    BusConnection current = connection;
    return current != null && current.isOpen()
        ? Optional.of(current.uniqueName())
        : Optional.empty();
  }

  /** Ends the connection, for good; whoever is connecting meanwhile finds that out by itself. */
  @Override
  public void close() {
    closed = true;
    BusConnection current = connection;
    if (current != null) {
      current.close();
    }
  }
}
