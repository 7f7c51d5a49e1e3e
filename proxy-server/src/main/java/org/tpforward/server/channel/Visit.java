package org.tpforward.server.channel;

import com.google.errorprone.annotations.concurrent.GuardedBy;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.atomic.AtomicLong;
import org.apache.sshd.common.AttributeRepository.AttributeKey;
import org.apache.sshd.common.session.Session;
import org.jspecify.annotations.Nullable;
import org.tpforward.server.audit.AuditEvent;
import org.tpforward.server.user.Account;
import org.tpforward.socket.Endpoint;

/** One login: an SSH connection of a user, from the login to its end. */
final class Visit {
  private static final AttributeKey<Visit> KEY = new AttributeKey<>();
  private static final AtomicLong NUMBERS = new AtomicLong();

  private final long number = NUMBERS.incrementAndGet();
  private final long begun = System.nanoTime();
  private final Session session;
  private final Account account;
  private final User user;
  private final AtomicLong fromClient = new AtomicLong();
  private final AtomicLong toClient = new AtomicLong();

  @GuardedBy("this")
  private final Map<Endpoint, OfferedListener> listeners = new HashMap<>();

  @GuardedBy("this")
  private boolean over;

  Visit(Session session, Account account, User user) {
    this.session = session;
    this.account = account;
    this.user = user;
    session.setAttribute(KEY, this);
  }

  static @Nullable Visit of(Session session) {
    return session.getAttribute(KEY);
  }

  Session session() {
    return session;
  }

  Account account() {
    return account;
  }

  User user() {
    return user;
  }

  /** Milliseconds since the login. */
  long age() {
    return (System.nanoTime() - begun) / 1_000_000;
  }

  /** A channel has ended. */
  void count(long bytesFromClient, long bytesToClient) {
    fromClient.addAndGet(bytesFromClient);
    toClient.addAndGet(bytesToClient);
  }

  /** Of all channels that have ended. */
  long bytesFromClient() {
    return fromClient.get();
  }

  /** Of all channels that have ended. */
  long bytesToClient() {
    return toClient.get();
  }

  /** Who, in an event. */
  AuditEvent describe(AuditEvent event) {
    return event
        .with("login", number)
        .with("user", account.name())
        .with("key", account.key())
        .with("as", String.valueOf(session.getUsername()))
        .with("from", Peers.name(session.getIoSession().getRemoteAddress()));
  }

  /** Adds a listener; false if there is one at that place, or the visit is over. */
  synchronized boolean add(OfferedListener listener) {
    return !over && listeners.putIfAbsent(listener.endpoint(), listener) == null;
  }

  /** Takes a listener out, to be closed by the caller. */
  synchronized @Nullable OfferedListener remove(Endpoint at) {
    return listeners.remove(at);
  }

  /** It is closed. */
  synchronized void forget(OfferedListener listener) {
    listeners.remove(listener.endpoint(), listener);
  }

  /** Ends: nothing listens any more. */
  void end() {
    List<OfferedListener> left;
    synchronized (this) {
      over = true;
      left = List.copyOf(listeners.values());
      listeners.clear();
    }
    left.forEach(OfferedListener::close);
  }
}
