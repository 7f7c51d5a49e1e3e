package org.tpforward.ssh;

import java.io.IOException;
import java.net.SocketAddress;
import java.nio.channels.SocketChannel;
import java.time.Duration;
import java.util.Optional;
import org.apache.sshd.common.AttributeRepository;
import org.apache.sshd.common.PropertyResolver;
import org.apache.sshd.common.io.DefaultIoConnectFuture;
import org.apache.sshd.common.io.IoConnectFuture;
import org.apache.sshd.common.io.IoConnector;
import org.apache.sshd.common.io.IoHandler;
import org.apache.sshd.common.io.IoServiceEventListener;
import org.apache.sshd.core.CoreModuleProperties;
import org.jspecify.annotations.Nullable;

/** The client's side: each connection's reading thread also dials it. */
final class TransportConnector extends TransportService implements IoConnector {
  private static final Duration LONGEST_DIAL = Duration.ofMinutes(10);

  private final Dialer dialer;

  TransportConnector(PropertyResolver properties, IoHandler handler, Dialer dialer) {
    super(properties, handler);
    this.dialer = dialer;
  }

  @Override
  public IoConnectFuture connect(
      SocketAddress remote, @Nullable AttributeRepository context, @Nullable SocketAddress local) {
    DefaultIoConnectFuture future = new DefaultIoConnectFuture(remote, null);
    Thread thread =
        Thread.ofPlatform()
            .daemon()
            .name("ssh-read " + remote)
            .unstarted(() -> run(future, remote, context, local));
    future.addListener(done -> {
      if (done.isCanceled()) {
        thread.interrupt();
      }
    });
    thread.start();
    return future;
  }

  private void run(
      IoConnectFuture future,
      SocketAddress remote,
      @Nullable AttributeRepository context,
      @Nullable SocketAddress local) {
    TransportSession session = null;
    try {
      SocketChannel channel = dialer.dial(remote, local, dialTimeout());
      session = new TransportSession(this, handler, channel, null);
      begin(session, future, context);
    } catch (Exception | LinkageError e) {
      if (session != null) {
        session.close(true);
      }
      if (future.isCanceled()) {
        future.getCancellation().setCanceled(e);
      } else {
        future.setException(e);
      }
      return;
    }
    session.readLoop();
  }

  private void begin(
      TransportSession session, IoConnectFuture future, @Nullable AttributeRepository context)
      throws Exception {
    IoServiceEventListener listener = getIoServiceEventListener();
    if (listener != null) {
      listener.connectionEstablished(
          this, session.getLocalAddress(), context, session.getRemoteAddress());
    }
    if (context != null) {
      session.setAttribute(AttributeRepository.class, context);
    }
    handler.sessionCreated(session);
    if (!register(session)) {
      throw new IOException("the SSH client is closing");
    }
    future.setSession(session);
    if (future.getSession() != session) {
      throw new IOException("the connection was cancelled");
    }
  }

  private Duration dialTimeout() {
    Optional<Duration> set = CoreModuleProperties.IO_CONNECT_TIMEOUT.get(properties);
    return set.filter(Duration::isPositive).orElse(LONGEST_DIAL);
  }
}
