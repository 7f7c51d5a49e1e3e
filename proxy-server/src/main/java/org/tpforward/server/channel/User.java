package org.tpforward.server.channel;

import com.google.errorprone.annotations.concurrent.GuardedBy;
import java.io.IOException;
import java.util.concurrent.atomic.AtomicInteger;
import org.jspecify.annotations.Nullable;
import org.tpforward.server.bus.HandedOut;
import org.tpforward.socket.Endpoint;

/** One user of one bus, while logged in: what was handed out, and what is in use. */
final class User {
  private final Endpoint bus;
  private final Limits limits;
  private final AtomicInteger channels = new AtomicInteger();
  private final AtomicInteger listeners = new AtomicInteger();

  /** Guarded by {@link Users}. */
  int logins;

  @GuardedBy("this")
  private @Nullable HandedOut handedOut;

  @GuardedBy("this")
  private boolean gone;

  User(Endpoint bus, Limits limits) {
    this.bus = bus;
    this.limits = limits;
  }

  Endpoint bus() {
    return bus;
  }

  /** What may be reached. Connects to the bus if need be: blocks so long. */
  synchronized HandedOut handedOut() throws IOException {
    if (gone) {
      throw new IOException("the user has logged out");
    }
    HandedOut known = handedOut;
    if (known == null || !known.isOpen()) {
      known = HandedOut.on(bus);
      handedOut = known;
    }
    return known;
  }

  /** Takes a place for a channel; false if there is none. */
  boolean takeChannel() {
    return take(channels, limits.channels());
  }

  void giveChannelBack() {
    channels.decrementAndGet();
  }

  /** Takes a place for a listener; false if there is none. */
  boolean takeListener() {
    return take(listeners, limits.listeners());
  }

  void giveListenerBack() {
    listeners.decrementAndGet();
  }

  private static boolean take(AtomicInteger taken, int most) {
    if (taken.incrementAndGet() <= most) {
      return true;
    }
    taken.decrementAndGet();
    return false;
  }

  /** The last login is over: what was handed out is forgotten. */
  synchronized void leave() {
    gone = true;
    if (handedOut != null) {
      handedOut.close();
      handedOut = null;
    }
  }
}
