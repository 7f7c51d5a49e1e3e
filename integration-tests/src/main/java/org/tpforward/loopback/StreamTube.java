package org.tpforward.loopback;

import java.io.IOException;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.freedesktop.dbus.types.Variant;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.tpforward.telepathy.SocketKind;

/**
 * A stream tube that has been offered: each connection to the socket of an end that has accepted
 * becomes one from the CM to the service of the end that offers. The offering end is told Open with
 * the first connection, as gabble has it. Thread-safe.
 */
final class StreamTube {
  private static final Logger LOG = LoggerFactory.getLogger(StreamTube.class);
  private static final String CANCELLED = "org.freedesktop.Telepathy.Error.Cancelled";
  private static final String REFUSED = "org.freedesktop.Telepathy.Error.ConnectionRefused";

  /** The socket that an end's client connects to. */
  record Accepted(SocketKind kind, Variant<?> address) {}

  private final Manager manager;
  private final Service service;
  private final Map<TubeEnd, CmListener> listeners = new LinkedHashMap<>();
  private final Map<TubeEnd, Set<StreamRelay>> relays = new LinkedHashMap<>();
  private @Nullable TubeEnd offering;
  private boolean used;
  private long lastId;

  StreamTube(Manager manager, Service service, TubeEnd offering) {
    this.manager = manager;
    this.service = service;
    this.offering = offering;
  }

  /**
   * Lets an end accept.
   *
   * @return what its client must connect to
   * @throws Fault NotAvailable if it has accepted before
   */
  synchronized Variant<?> accept(TubeEnd end, SocketKind kind, Object parameter) throws Fault {
    if (listeners.containsKey(end)) {
      throw Fault.notAvailable("the tube has been accepted before");
    }
    Door door = new Door(manager.bus());
    CmListener listener =
        CmListener.listen(
            kind,
            parameter,
            manager.sockets(),
            new CmListener.Guests() {
              @Override
              public void admit(CmListener.Guest guest) {
                door.admitted(end.channelPath());
                connect(end, guest);
              }

              @Override
              public void refused(String why) {
                door.refused(end.channelPath(), why);
              }
            });
    listeners.put(end, listener);
    end.setState(TubeState.OPEN);
    return listener.address();
  }

  /** What an end has been given; null if it has not accepted. */
  synchronized @Nullable Accepted accepted(TubeEnd end) {
    CmListener listener = listeners.get(end);
    return listener == null ? null : new Accepted(listener.kind(), listener.address());
  }

  private synchronized long newId() {
    return ++lastId;
  }

  private void connect(TubeEnd end, CmListener.Guest guest) {
    long id = newId();
    Service.Reached reached;
    StreamRelay relay;
    try {
      if (offering() == null) {
        throw new IOException("nobody offers it any more");
      }
      reached = service.connect(id);
      relay = StreamRelay.of(guest.channel(), reached.channel(), self -> ended(end, id, self));
    } catch (IOException e) {
      end.newLocalConnection(id);
      CmListener.closeQuietly(guest.channel());
      end.connectionClosed(id, REFUSED, String.valueOf(e.getMessage()));
      return;
    }
    boolean stays = announce(end, id, reached.parameter(), relay);
    relay.start();
    if (!stays) {
      relay.drain();
    }
  }

  private synchronized @Nullable TubeEnd offering() {
    return offering;
  }

  /** Whether both ends are still there; otherwise nobody else ends the connection. */
  private synchronized boolean announce(
      TubeEnd end, long id, Variant<?> parameter, StreamRelay relay) {
    relays.computeIfAbsent(end, e -> new LinkedHashSet<>()).add(relay);
    TubeEnd other = offering;
    if (other != null) {
      if (!used) {
        used = true;
        other.setState(TubeState.OPEN);
      }
      other.newRemoteConnection(end.contact(), parameter, id);
    }
    end.newLocalConnection(id);
    return other != null && listeners.containsKey(end);
  }

  private synchronized void ended(TubeEnd end, long id, StreamRelay relay) {
    Set<StreamRelay> all = relays.get(end);
    if (all != null) {
      all.remove(relay);
    }
    for (TubeEnd side : new TubeEnd[] {offering, end}) {
      if (side != null) {
        side.connectionClosed(id, CANCELLED, "the connection has ended");
      }
    }
  }

  /**
   * An end goes: its listener at once, and its connections once what has come so far has been
   * passed on. The other end is not told.
   */
  void close(TubeEnd end) {
    List<StreamRelay> ending = new ArrayList<>();
    CmListener listener;
    boolean last;
    synchronized (this) {
      listener = listeners.remove(end);
      last = end.equals(offering);
      if (last) {
        offering = null;
        relays.values().forEach(ending::addAll);
      } else {
        ending.addAll(relays.getOrDefault(end, Set.of()));
      }
    }
    CmListener.closeQuietly(listener);
    ending.forEach(StreamRelay::drain);
    if (last) {
      service.unlink();
      LOG.debug("a stream tube is gone");
    }
  }
}
