package org.tpforward.agent.link;

import java.util.concurrent.atomic.AtomicReference;
import org.apache.sshd.common.SshConstants;
import org.apache.sshd.common.SshException;
import org.apache.sshd.common.session.Session;
import org.apache.sshd.common.session.SessionListener;
import org.jspecify.annotations.Nullable;

/** Notes what happens to the one session of a client. */
final class SessionEvents implements SessionListener {
  private final AtomicReference<@Nullable Throwable> problem = new AtomicReference<>();
  private final AtomicReference<@Nullable String> whyLost = new AtomicReference<>();
  private @Nullable Runnable closed;
  private boolean over;

  /** The first exception or disconnect message, or null. */
  @Nullable Throwable problem() {
    return problem.get();
  }

  /** Why the session ended; set once. */
  AtomicReference<@Nullable String> whyLost() {
    return whyLost;
  }

  /** Has something run when the session closes, at once if it has already. */
  void onClose(Runnable action) {
    synchronized (this) {
      if (!over) {
        closed = action;
        return;
      }
    }
    action.run();
  }

  @Override
  public void sessionException(Session session, Throwable t) {
    problem.compareAndSet(null, t);
    whyLost.compareAndSet(null, "the connection broke: " + describe(t));
  }

  @Override
  public void sessionDisconnect(
      Session session, int reason, String message, String language, boolean initiator) {
    SshException told = new SshException(reason, message);
    problem.compareAndSet(null, told);
    if (!initiator) {
      whyLost.compareAndSet(null, "the server said: " + OneLine.of(message, 200));
    }
  }

  /** MINA calls this before it closes the session's channels. */
  @Override
  public void sessionClosed(Session session) {
    Runnable action;
    synchronized (this) {
      over = true;
      action = closed;
      closed = null;
    }
    if (action != null) {
      action.run();
    }
  }

  /** An exception in one line: its message, or its kind where it has none. */
  static String describe(Throwable t) {
    String message = t.getMessage();
    if (t instanceof SshException ssh
        && ssh.getDisconnectCode() == SshConstants.SSH2_DISCONNECT_BY_APPLICATION
        && message == null) {
      return "closed";
    }
    return message == null || message.isBlank()
        ? t.getClass().getSimpleName()
        : OneLine.of(message, 300);
  }
}
