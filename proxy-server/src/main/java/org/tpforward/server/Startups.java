package org.tpforward.server;

import java.io.IOException;
import java.net.SocketAddress;
import java.util.concurrent.atomic.AtomicInteger;
import org.apache.sshd.common.AttributeRepository.AttributeKey;
import org.apache.sshd.common.io.IoAcceptor;
import org.apache.sshd.common.io.IoServiceEventListener;
import org.apache.sshd.common.session.Session;
import org.apache.sshd.common.session.SessionListener;

/**
 * Connections that are not logged in yet, as MaxStartups of sshd: what is too many is closed before
 * anything is made for it.
 */
final class Startups implements IoServiceEventListener, SessionListener {
  private static final AttributeKey<Boolean> COUNTED = new AttributeKey<>();

  private final int most;
  private final AtomicInteger now = new AtomicInteger();

  Startups(int most) {
    this.most = most;
  }

  @Override
  public void connectionAccepted(
      IoAcceptor acceptor, SocketAddress local, SocketAddress remote, SocketAddress service)
      throws IOException {
    if (now.get() >= most) {
      throw new IOException("too many connections that are not logged in");
    }
  }

  @Override
  public void sessionCreated(Session session) {
    now.incrementAndGet();
    session.setAttribute(COUNTED, true);
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
