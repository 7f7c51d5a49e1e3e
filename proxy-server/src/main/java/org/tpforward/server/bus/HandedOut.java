package org.tpforward.server.bus;

import com.google.errorprone.annotations.concurrent.GuardedBy;
import java.io.IOException;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.tpforward.dbus.BusConnection;
import org.tpforward.dbus.DBusErrorException;
import org.tpforward.dbus.Signal;
import org.tpforward.dbus.Value;
import org.tpforward.socket.Connection;
import org.tpforward.socket.Endpoint;
import org.tpforward.telepathy.AccessControl;
import org.tpforward.telepathy.Names;

/**
 * What one user may reach on one bus, apart from the bus itself: the sockets that crossed this
 * user's own bus connections, while their channels live. It has a bus connection of its own, for
 * Closed, TubeClosed and NameOwnerChanged. For any number of threads.
 *
 * <p><b>To connect.</b> An address is handed out by the reply of a CM to a call of the user's by
 * which a CM listens ({@link org.tpforward.telepathy.Crossings}). Only a remote CM's word counts,
 * never that of a connection that this server carries itself. And a word is not enough: whoever
 * listens there must be the very process that owns the CM's name on the bus. So nobody hands out
 * another service's socket; {@link #check} is asked with the connection made and before a byte of
 * it moves, so neither {@code ..} nor a link that is swapped in helps.
 *
 * <p><b>To listen.</b> A client must listen <em>before</em> it can offer: the address stands in the
 * Offer call. So a listener is opened on the client's word, but only where it can do no harm: a
 * Unix socket that the server makes itself, in a private directory of its own, under one plain name
 * of the client's choice that is free; or a port on loopback; {@link #MAX_LISTENERS} of them. Who
 * connects waits in the kernel's backlog until an Offer call of this user to a CM names the
 * address, and then nobody but that CM's own process is let in ({@link Listening}). When the
 * channel ends, so does that; the listener stays the client's until it takes it back.
 *
 * <p>The other half of that rule: an Offer that names any other address does not reach a CM at all.
 * It would have the CM connect, in the user's name, to any service of the machine.
 */
public final class HandedOut implements AutoCloseable {
  /** Listeners of one user that are open at once. */
  public static final int MAX_LISTENERS = 256;

  private static final Logger log = LoggerFactory.getLogger(HandedOut.class);

  /** Names of connections that have ended and may still be in a message on its way. */
  private static final int MAX_LEFT = 4096;

  private static final String CONNECTIONS = Names.PREFIX + ".Connection.";

  private final BusConnection bus;
  private final BusNames names;
  private final Grants grants;

  /** This process, as the bus numbers it; a CM's is of the same numbering. */
  private final long ownPid;

  @GuardedBy("this")
  private final Set<String> ours = new HashSet<>();

  @GuardedBy("this")
  private final Deque<String> left = new ArrayDeque<>();

  @GuardedBy("this")
  private final Map<Endpoint, Listening> listening = new HashMap<>();

  @GuardedBy("this")
  private final Set<PolicedBus> carried = new HashSet<>();

  private HandedOut(BusConnection bus) throws IOException, DBusErrorException {
    this.bus = bus;
    this.grants = new Grants(this::isGone);
    bus.onSignal(this::heard);
    bus.addMatch("type='signal',interface='" + Names.CHANNEL + "',member='Closed'");
    bus.addMatch("type='signal',interface='" + Names.TUBES + "',member='TubeClosed'");
    this.names = new BusNames(bus, new Endings());
    this.ownPid = names.credentials(bus.uniqueName()).pid();
  }

  /**
   * Connects to the bus.
   *
   * @param bus where it listens
   * @throws IOException if it cannot be reached: the message is for a person
   */
  public static HandedOut on(Endpoint bus) throws IOException {
    BusConnection connection =
        BusConnection.open(Connection.connect(bus), BusConnection.DEFAULT_TIMEOUT);
    try {
      HandedOut handedOut = new HandedOut(connection);
      connection.onClosed(handedOut::close);
      return handedOut;
    } catch (DBusErrorException e) {
      connection.close();
      throw new IOException("the bus at " + bus + " does not serve: " + e.getMessage(), e);
    } catch (IOException | RuntimeException e) {
      connection.close();
      throw e;
    }
  }

  /** What ends grants, on the connection's reading thread. */
  private final class Endings implements BusNames.Listener {
    @Override
    public void left(String owner) {
      grants.left(owner);
    }

    @Override
    public void lost(String owner, String wellKnown) {
      if (wellKnown.startsWith(CONNECTIONS)) {
        // Where its objects are: specification, "Connection", "Object paths".
        grants.left(owner, "/" + wellKnown.replace('.', '/') + "/");
      }
    }
  }

  private void heard(Signal signal) {
    String sender = signal.header().sender();
    String path = signal.header().path();
    if (sender == null || path == null) {
      return;
    }
    if (signal.is(Names.CHANNEL, "Closed")) {
      grants.closed(sender, path);
    } else if (signal.is(Names.TUBES, "TubeClosed")
        && signal.header().signature().equals("u")
        && signal.body().getFirst() instanceof Value.Uint32(long id)) {
      grants.tubeClosed(sender, path, id);
    }
  }

  private boolean isGone(String unique) {
    return names.isGone(unique);
  }

  /**
   * A socket that a CM handed out to this user at that address, if there is one now. Where several
   * say so, any of them: {@link #check} knows who was right.
   */
  public Optional<Grant> find(Endpoint target) {
    return grants.at(target, Grants.Listener.CM).stream().findFirst();
  }

  /** What this user offered to a CM at that address, if that is so now. */
  public Optional<Grant> findOffered(Endpoint listener) {
    return grants.at(listener, Grants.Listener.CLIENT).stream().findFirst();
  }

  /**
   * Whether a connection leads to the CM that handed the address out.
   *
   * @param connected to {@code target}; on a Unix socket one that tells its peer's process, as of
   *     {@link Connection#connectForCredentials}
   * @return the grant by which it may go on
   * @throws IOException if there is none; one line for the audit. The caller closes the connection
   */
  public Grant check(Endpoint target, Connection connected) throws IOException {
    return firstOf(
        target, grants.at(target, Grants.Listener.CM), grant -> grant.checkListener(connected));
  }

  /** Compares a connection with a grant. */
  interface Check {
    void of(Grant grant) throws IOException;
  }

  static Grant firstOf(Endpoint at, List<Grant> grants, Check check) throws IOException {
    IOException why = new IOException("no CM and no client has handed out " + at);
    for (Grant grant : grants) {
      try {
        check.of(grant);
        return grant;
      } catch (IOException e) {
        why = e;
      }
    }
    throw why;
  }

  /**
   * The server listens for this user, who may offer the address from now on.
   *
   * @param bound a Unix socket in the server's private directory, or a loopback port
   * @return to be closed when the server does not listen any more
   * @throws IOException if there are too many of them; a line for the user
   */
  public synchronized Listening listen(Endpoint bound) throws IOException {
    if (!isOpen()) {
      throw new IOException("the bus is gone");
    }
    if (listening.size() >= MAX_LISTENERS) {
      throw new IOException(MAX_LISTENERS + " listeners of this user are open already");
    }
    Listening listener = new Listening(bound, grants, this::forget);
    if (listening.putIfAbsent(bound, listener) != null) {
      throw new IOException(bound + " is listened on already");
    }
    return listener;
  }

  private synchronized void forget(Listening listener) {
    listening.remove(listener.endpoint(), listener);
  }

  /** Whether the address is that of a listener of this user. */
  synchronized boolean isListening(Endpoint endpoint) {
    return listening.containsKey(endpoint);
  }

  /** Whether the bus is still there; if not, nothing is found any more, and a new one is needed. */
  public boolean isOpen() {
    return bus.isOpen();
  }

  /** Adds what is done when the bus is gone, or {@link #close} was called; at once if that was. */
  public void onClosed(Runnable handler) {
    bus.onClosed(handler);
  }

  BusNames names() {
    return names;
  }

  Grants grants() {
    return grants;
  }

  /**
   * Registers a grant.
   *
   * @return null if there is none: who says so is no remote CM, or its channel has ended
   * @throws IOException if the bus is lost, or does not say which process the CM is
   */
  Grants.@Nullable Entry grant(
      Grants.Claim claim,
      Endpoint endpoint,
      AccessControl access,
      String owner,
      String channel,
      Grants.Listener listener)
      throws IOException {
    if (isOurs(owner) || (endpoint instanceof Endpoint.Ip ip && !ip.isLoopback())) {
      log.debug("{} hands out {}, which is not a remote CM's", owner, endpoint);
      return null;
    }
    BusNames.Credentials process = names.credentials(owner);
    if (process.pid() == ownPid) {
      log.debug("{} is a connection of this server: it cannot hand out {}", owner, endpoint);
      return null;
    }
    Grants.Entry entry =
        grants.grant(
            claim,
            new Grant(endpoint, access, owner, process.pid(), process.uid(), channel),
            listener);
    if (entry == null) {
      log.info("{} of {} is not handed out: {} has ended, or too many", endpoint, owner, channel);
    }
    return entry;
  }

  /** A connection of this user has got that unique name. */
  synchronized void joined(String unique) {
    ours.add(unique);
  }

  /** That connection has ended; what it said may still be on its way to another. */
  synchronized void parted(String unique) {
    left.add(unique);
    if (left.size() > MAX_LEFT) {
      ours.remove(left.remove());
    }
  }

  /** Whether that is a connection of this user, through this server. */
  synchronized boolean isOurs(String unique) {
    return ours.contains(unique);
  }

  /** A connection that ends with this; false if this has ended. */
  synchronized boolean add(PolicedBus connection) {
    return isOpen() && carried.add(connection);
  }

  synchronized void remove(PolicedBus connection) {
    carried.remove(connection);
  }

  /** Forgets everything and leaves the bus; all connections to it end. Idempotent. */
  @Override
  public void close() {
    bus.close();
    grants.close();
    List<PolicedBus> connections;
    synchronized (this) {
      connections = new ArrayList<>(carried);
      listening.clear();
    }
    connections.forEach(PolicedBus::close);
  }
}
