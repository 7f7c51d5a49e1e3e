package org.tpforward.server;

import com.google.common.util.concurrent.RateLimiter;
import java.io.IOException;
import java.net.SocketAddress;
import java.util.concurrent.atomic.AtomicInteger;
import org.apache.sshd.common.AttributeRepository.AttributeKey;
import org.apache.sshd.common.io.IoAcceptor;
import org.apache.sshd.common.io.IoServiceEventListener;
import org.apache.sshd.common.session.Session;
import org.apache.sshd.common.session.SessionListener;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Connections that are not logged in yet, as MaxStartups of sshd: what is too many is closed before
 * anything is made for it.
 */
final class Startups implements IoServiceEventListener, SessionListener {
  private static final AttributeKey<Boolean> COUNTED = new AttributeKey<>();

  private static final Logger log = LoggerFactory.getLogger(Startups.class);
  private static final String TOO_MANY = "too many connections that are not logged in";

  private final int most;
  private final AtomicInteger now = new AtomicInteger();

  /** A flood is told of once a second. */
  private final RateLimiter lines = RateLimiter.create(1);

  Startups(int most) {
    this.most = most;
  }

  @Override
  public void connectionAccepted(
      IoAcceptor acceptor, SocketAddress local, SocketAddress remote, SocketAddress service)
      throws IOException {
    if (now.get() >= most) {
      tell(remote);
      throw new IOException(TOO_MANY);
    }
  }

  private void tell(SocketAddress remote) {
    if (lines.tryAcquire()) {
      log.warn("{}: {} is refused, and perhaps others", TOO_MANY, remote);
    }
  }

  @Override
  public void sessionCreated(Session session) {
    session.setAttribute(COUNTED, true);
    // Many may have been accepted at the same moment.
    if (now.incrementAndGet() > most) {
      tell(session.getRemoteAddress());
      session.close(true);
    }
  }

  @Override
  public void sessionEvent(Session session, Event event) {
    if (event == Event.Authenticated) {
      over(session);
    }
  }

  @Override
  public void sessionClosed(Session session) {
    over(session);
  }

  private void over(Session session) {
    if (session.removeAttribute(COUNTED) != null) {
      now.decrementAndGet();
    }
  }
}
