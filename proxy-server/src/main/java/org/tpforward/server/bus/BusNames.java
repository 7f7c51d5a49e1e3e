package org.tpforward.server.bus;

import java.io.IOException;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import org.jspecify.annotations.Nullable;
import org.tpforward.dbus.BusConnection;
import org.tpforward.dbus.DBusErrorException;
import org.tpforward.dbus.Names;
import org.tpforward.dbus.Signal;
import org.tpforward.dbus.Value;

/**
 * Who owns which names on one bus, learnt by a connection of the server's own. A unique name keeps
 * the names that it ever owned, as a message that it sent while it owned one may still be on its
 * way; and for a while after its end too, as its end may be.
 *
 * <p>What this connection hears and what a client's connection hears are in no order to each other.
 * Whoever does not find a name here that it may have heard of elsewhere calls {@link #catchUp}
 * first: what the bus did before that call is known after it.
 */
final class BusNames {
  private static final String BUS_PATH = "/org/freedesktop/DBus";
  private static final String NO_OWNER = "org.freedesktop.DBus.Error.NameHasNoOwner";

  /** Connections to the bus that are remembered; of further ones no name is known. */
  private static final int MAX_PEERS = 1 << 16;

  /** Of one connection. */
  private static final int MAX_NAMES = 1024;

  /** Of connections that have ended. */
  private static final int MAX_GONE = 4096;

  /**
   * The process behind a unique name, as the bus says.
   *
   * @param uid its user
   * @param pid its id
   */
  record Credentials(long uid, long pid) {}

  private static final class Peer {
    final Set<String> names = ConcurrentHashMap.newKeySet();
    volatile boolean gone;
    volatile @Nullable Credentials credentials;
  }

  private final BusConnection bus;
  private final Map<String, Peer> peers = new ConcurrentHashMap<>();
  private final Deque<String> gone = new ArrayDeque<>(); // of the connection's reading thread

  /** Told of what has ended. */
  interface Listener {
    /** {@code owner} has ended its connection. */
    void left(String owner);

    /** {@code owner} does not own {@code wellKnown} any more. */
    void lost(String owner, String wellKnown);
  }

  /**
   * Takes what is there, and listens from then on.
   *
   * @param bus stays the caller's
   * @param listener called on the connection's reading thread; must not block. When it is told that
   *     a connection has ended, {@link #isGone} says so already
   */
  BusNames(BusConnection bus, Listener listener) throws IOException, DBusErrorException {
    this.bus = bus;
    bus.onSignal(signal -> changed(signal, listener));
    bus.addMatch(
        "type='signal',sender='org.freedesktop.DBus',interface='org.freedesktop.DBus',"
            + "member='NameOwnerChanged'");
    if (ask("ListNames").getFirst() instanceof Value.Array array) {
      for (Value name : array.elements()) {
        if (name instanceof Value.Str(String s) && !s.startsWith(":")) {
          ownerOf(s).ifPresent(owner -> owns(owner, s));
        }
      }
    }
  }

  private void changed(Signal signal, Listener listener) {
    if (!signal.is(PolicyRules.BUS, "NameOwnerChanged")
        || !PolicyRules.BUS.equals(signal.header().sender())
        || !signal.header().signature().equals("sss")
        || !(signal.body().get(0) instanceof Value.Str(String name))
        || !(signal.body().get(1) instanceof Value.Str(String before))
        || !(signal.body().get(2) instanceof Value.Str(String now))) {
      return;
    }
    if (!name.startsWith(":")) {
      if (!before.isEmpty()) {
        listener.lost(before, name);
      }
      if (!now.isEmpty()) {
        owns(now, name);
      }
    } else if (now.isEmpty()) {
      Peer peer = peers.get(name);
      if (peer != null && !peer.gone) {
        peer.gone = true;
        gone.add(name);
        if (gone.size() > MAX_GONE) {
          peers.remove(gone.remove());
        }
      }
      listener.left(name);
    }
  }

  private void owns(String owner, String wellKnown) {
    if (!Names.isUniqueName(owner)) {
      return; // The bus's own name is its own.
    }
    Peer peer = peers.get(owner);
    if (peer == null && peers.size() < MAX_PEERS) {
      peer = peers.computeIfAbsent(owner, o -> new Peer());
    }
    if (peer != null && peer.names.size() < MAX_NAMES) {
      peer.names.add(wellKnown);
    }
  }

  /** The well-known names that this connection owns, or ever did. */
  Set<String> of(String unique) {
    Peer peer = peers.get(unique);
    return peer == null ? Set.of() : peer.names;
  }

  /** Whether a connection has ended, or never owned any name. */
  boolean isGone(String unique) {
    Peer peer = peers.get(unique);
    return peer == null || peer.gone;
  }

  /** Waits until everything is known here that the bus has done up to now. */
  void catchUp() throws IOException {
    try {
      ask("GetId");
    } catch (DBusErrorException e) {
      throw refused("GetId", e);
    }
  }

  /** Who owns the name now; a unique name owns itself. */
  Optional<String> ownerOf(String name) throws IOException {
    if (name.startsWith(":")) {
      return Optional.of(name);
    }
    try {
      List<Value> reply = ask("GetNameOwner", Value.of(name));
      return reply.getFirst() instanceof Value.Str(String owner)
          ? Optional.of(owner)
          : Optional.empty();
    } catch (DBusErrorException e) {
      if (e.errorName().equals(NO_OWNER)) {
        return Optional.empty();
      }
      throw refused("GetNameOwner", e);
    }
  }

  /**
   * The process behind a unique name; remembered of one that owns a well-known one.
   *
   * @throws IOException if the bus does not say
   */
  Credentials credentials(String unique) throws IOException {
    Peer peer = peers.get(unique);
    Credentials known = peer == null ? null : peer.credentials;
    if (known != null) {
      return known;
    }
    try {
      if (ask("GetConnectionCredentials", Value.of(unique)).getFirst() instanceof Value.Dict all
          && bare(all.get("UnixUserID")) instanceof Value.Uint32(long uid)
          && bare(all.get("ProcessID")) instanceof Value.Uint32(long pid)) {
        Credentials credentials = new Credentials(uid, pid);
        if (peer != null) {
          peer.credentials = credentials;
        }
        return credentials;
      }
      throw new IOException("the bus does not say which process " + unique + " is");
    } catch (DBusErrorException e) {
      throw refused("GetConnectionCredentials", e);
    }
  }

  private static @Nullable Value bare(@Nullable Value value) {
    return value == null ? null : value.unwrap();
  }

  private List<Value> ask(String member, Value... arguments)
      throws IOException, DBusErrorException {
    List<Value> reply =
        bus.call(
            PolicyRules.BUS,
            BUS_PATH,
            PolicyRules.BUS,
            member,
            BusConnection.DEFAULT_TIMEOUT,
            arguments);
    if (reply.isEmpty()) {
      throw new IOException("the bus's reply to " + member + " is empty");
    }
    return reply;
  }

  private static IOException refused(String member, DBusErrorException e) {
    return new IOException("the bus refused " + member + ": " + e.getMessage(), e);
  }
}
