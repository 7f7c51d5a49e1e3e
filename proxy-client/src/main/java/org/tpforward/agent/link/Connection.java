package org.tpforward.agent.link;

import java.io.Closeable;
import java.util.concurrent.atomic.AtomicReference;
import org.apache.sshd.client.SshClient;
import org.apache.sshd.client.session.ClientSession;
import org.jspecify.annotations.Nullable;

/**
 * One authenticated SSH connection with all that belongs to it. {@link #close} ends it at once and
 * may be called by any thread, except the connection's own reading thread.
 */
final class Connection implements Closeable {
  private final SshClient client;
  private final ClientSession session;
  private final @Nullable ProxyProcess proxy;
  private final AtomicReference<@Nullable String> whyLost;
  private final RemoteSockets sockets;

  Connection(
      SshClient client,
      ClientSession session,
      @Nullable ProxyProcess proxy,
      AtomicReference<@Nullable String> whyLost,
      LinkTimes times) {
    this.client = client;
    this.session = session;
    this.proxy = proxy;
    this.whyLost = whyLost;
    this.sockets =
        new RemoteSockets(
            session,
            new RemoteFiles(new RemoteShell(this::session, times.exec())),
            times.channel());
  }

  /** What listens on the server for this connection. */
  RemoteSockets sockets() {
    return sockets;
  }

  ClientSession session() {
    return session;
  }

  /** Ends the session because of something this side has found out. */
  void giveUp(String reason) {
    whyLost.compareAndSet(null, reason);
    session.close(true);
  }

  /** Why the session ended, in one line. */
  String whyLost() {
    String reason = whyLost.get();
    return reason == null ? "the server closed the connection" : reason;
  }

  @Override
  public void close() {
    session.close(true);
    client.stop();
    if (proxy != null) {
      proxy.close();
    }
  }
}
