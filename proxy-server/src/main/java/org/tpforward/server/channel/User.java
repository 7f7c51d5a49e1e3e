package org.tpforward.server.channel;

import com.google.errorprone.annotations.concurrent.GuardedBy;
import java.io.IOException;
import java.io.InterruptedIOException;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Future;
import java.util.concurrent.FutureTask;
import java.util.concurrent.atomic.AtomicInteger;
import org.jspecify.annotations.Nullable;
import org.tpforward.server.bus.HandedOut;
import org.tpforward.socket.Endpoint;

/** One user of one bus, while logged in: what was handed out, and what is in use. */
final class User {
  private static final String GONE = "the user has logged out";

  private final Endpoint bus;
  private final Limits limits;
  private final ChannelPool allChannels;
  private final AtomicInteger channels = new AtomicInteger();
  private final AtomicInteger listeners = new AtomicInteger();

  /** Guarded by {@link Users}. */
  int logins;

  @GuardedBy("this")
  private @Nullable FutureTask<HandedOut> handedOut;

  @GuardedBy("this")
  private boolean gone;

  /**
   * @param allChannels those of all users
   */
  User(Endpoint bus, Limits limits, ChannelPool allChannels) {
    this.bus = bus;
    this.limits = limits;
    this.allChannels = allChannels;
  }

  Endpoint bus() {
    return bus;
  }

  /**
   * What may be reached. Connects to the bus if need be: blocks so long, and holds no lock
   * meanwhile, so that a bus that does not answer keeps nobody from leaving.
   */
  HandedOut handedOut() throws IOException {
    FutureTask<HandedOut> task = opening();
    task.run(); // Does nothing if another thread does, or has.
    try {
      HandedOut open = task.get();
      synchronized (this) {
        if (!gone) {
          return open;
        }
      }
      open.close();
      throw new IOException(GONE);
    } catch (ExecutionException e) {
      Throwable cause = e.getCause();
      String why = cause == null ? e.getMessage() : cause.getMessage();
      throw new IOException("the bus at " + bus + " cannot be reached: " + why, e);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new InterruptedIOException("interrupted while connecting to the bus");
    }
  }

  private synchronized FutureTask<HandedOut> opening() throws IOException {
    if (gone) {
      throw new IOException(GONE);
    }
    FutureTask<HandedOut> known = handedOut;
    if (known == null || hasEnded(known)) {
      known = new FutureTask<>(() -> HandedOut.on(bus));
      handedOut = known;
    }
    return known;
  }

  private static boolean hasEnded(FutureTask<HandedOut> task) {
    return switch (task.state()) {
      case RUNNING -> false;
      case SUCCESS -> !task.resultNow().isOpen();
      case FAILED, CANCELLED -> true;
    };
  }

  /** Takes a place for a channel; false if there is none. */
  boolean takeChannel() {
    if (!take(channels, limits.channels())) {
      return false;
    }
    if (!allChannels.take(channels.get() - 1)) {
      channels.decrementAndGet();
      return false;
    }
    return true;
  }

  void giveChannelBack() {
    channels.decrementAndGet();
    allChannels.giveBack();
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

  /** The last login is over: what was handed out is forgotten. Does not wait. */
  synchronized void leave() {
    gone = true;
    if (handedOut != null && handedOut.state() == Future.State.SUCCESS) {
      handedOut.resultNow().close();
    }
  }
}
