package org.tpforward.ssh;

import java.util.Collections;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import org.apache.sshd.common.Closeable;
import org.apache.sshd.common.PropertyResolver;
import org.apache.sshd.common.io.IoHandler;
import org.apache.sshd.common.io.IoService;
import org.apache.sshd.common.io.IoServiceEventListener;
import org.apache.sshd.common.io.IoSession;
import org.apache.sshd.common.util.closeable.AbstractInnerCloseable;
import org.jspecify.annotations.Nullable;

/** What a connector and an acceptor have in common: their living sessions. */
abstract class TransportService extends AbstractInnerCloseable implements IoService {
  protected final PropertyResolver properties;
  protected final IoHandler handler;
  private final Map<Long, IoSession> sessions = new ConcurrentHashMap<>();
  private final Object registration = new Object();
  private boolean ended;
  private volatile @Nullable IoServiceEventListener listener;

  TransportService(PropertyResolver properties, IoHandler handler) {
    this.properties = properties;
    this.handler = handler;
  }

  /** Adds a session; false if this service has begun to close, and the session must go. */
  final boolean register(TransportSession session) {
    synchronized (registration) {
      if (ended) {
        return false;
      }
      sessions.put(session.getId(), session);
      return true;
    }
  }

  final void unregister(TransportSession session) {
    sessions.remove(session.getId());
  }

  @Override
  protected Closeable getInnerCloseable() {
    synchronized (registration) {
      ended = true;
    }
    return builder().parallel(toString(), sessions.values()).build();
  }

  @Override
  public Map<Long, IoSession> getManagedSessions() {
    return Collections.unmodifiableMap(sessions);
  }

  @Override
  public @Nullable IoServiceEventListener getIoServiceEventListener() {
    return listener;
  }

  @Override
  public void setIoServiceEventListener(@Nullable IoServiceEventListener listener) {
    this.listener = listener;
  }
}
