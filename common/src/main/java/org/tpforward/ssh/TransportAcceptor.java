package org.tpforward.ssh;

import java.io.IOException;
import java.net.InetSocketAddress;
import java.net.SocketAddress;
import java.net.StandardProtocolFamily;
import java.net.StandardSocketOptions;
import java.nio.channels.ClosedChannelException;
import java.nio.channels.ServerSocketChannel;
import java.nio.channels.SocketChannel;
import java.time.Duration;
import java.util.Collection;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.locks.LockSupport;
import org.apache.sshd.common.Closeable;
import org.apache.sshd.common.PropertyResolver;
import org.apache.sshd.common.io.IoAcceptor;
import org.apache.sshd.common.io.IoHandler;
import org.apache.sshd.common.io.IoServiceEventListener;
import org.apache.sshd.core.CoreModuleProperties;
import org.jspecify.annotations.Nullable;

/** The server's side: one accepting thread per address, one reading thread per connection. */
final class TransportAcceptor extends TransportService implements IoAcceptor {
  private static final Duration PAUSE = Duration.ofMillis(100);

  private final Map<SocketAddress, ServerSocketChannel> bound = new ConcurrentHashMap<>();

  private final @Nullable ServerSocketChannel listening;

  /**
   * @param listening null, or what listens already and is accepted from in the place of the address
   *     that is bound to
   */
  TransportAcceptor(
      PropertyResolver properties, IoHandler handler, @Nullable ServerSocketChannel listening) {
    super(properties, handler);
    this.listening = listening;
  }

  @Override
  public void bind(Collection<? extends SocketAddress> addresses) throws IOException {
    for (SocketAddress address : addresses) {
      bind(address);
    }
  }

  @Override
  public void bind(SocketAddress address) throws IOException {
    if (listening != null) {
      accept(listening);
      return;
    }
    ServerSocketChannel server =
        address instanceof InetSocketAddress
            ? ServerSocketChannel.open()
            : ServerSocketChannel.open(StandardProtocolFamily.UNIX);
    try {
      if (address instanceof InetSocketAddress) {
        server.setOption(StandardSocketOptions.SO_REUSEADDR, true);
      }
      server.bind(address, CoreModuleProperties.SOCKET_BACKLOG.getRequired(properties));
      accept(server);
    } catch (IOException | RuntimeException e) {
      server.close();
      throw e;
    }
  }

  private void accept(ServerSocketChannel server) throws IOException {
    SocketAddress local = server.getLocalAddress();
    bound.put(local, server);
    Thread.ofPlatform().daemon().name("ssh-accept " + local).start(() -> acceptLoop(server, local));
  }

  private void acceptLoop(ServerSocketChannel server, SocketAddress local) {
    while (server.isOpen()) {
      try {
        SocketChannel channel = server.accept();
        Thread.ofPlatform()
            .daemon()
            .name("ssh-read " + channel.getRemoteAddress())
            .start(() -> run(channel, local));
      } catch (ClosedChannelException e) {
        return;
      } catch (IOException e) {
        // Out of descriptors, or a client that is gone already: the next one may do better.
        log.warn("accept on {} failed: {}", local, e.toString());
        LockSupport.parkNanos(PAUSE.toNanos());
      }
    }
  }

  private void run(SocketChannel channel, SocketAddress local) {
    TransportSession session;
    try {
      session = new TransportSession(this, handler, channel, local);
    } catch (IOException e) {
      log.debug("a connection to {} was gone at once", local, e);
      return;
    }
    try {
      if (!isAdmitted(session, local)) {
        session.close(true);
        return;
      }
      handler.sessionCreated(session);
      if (!register(session)) {
        session.close(true);
        return;
      }
    } catch (Exception e) {
      log.warn("a connection to {} could not be served: {}", local, e.toString());
      session.close(true);
      return;
    }
    session.readLoop();
  }

  /** Asks the listener before anything is made for the connection. */
  private boolean isAdmitted(TransportSession session, SocketAddress local) {
    IoServiceEventListener listener = getIoServiceEventListener();
    try {
      if (listener != null) {
        listener.connectionAccepted(
            this, session.getLocalAddress(), session.getRemoteAddress(), local);
      }
      return true;
    } catch (IOException e) {
      // The listener's own to tell: there may be many.
      log.debug("a connection from {} is not wanted", session.getRemoteAddress(), e);
      return false;
    }
  }

  @Override
  public void unbind(Collection<? extends SocketAddress> addresses) {
    addresses.forEach(this::unbind);
  }

  @Override
  public void unbind(SocketAddress address) {
    ServerSocketChannel server = bound.remove(address);
    if (server != null) {
      try {
        server.close();
      } catch (IOException e) {
        log.warn("closing {} failed: {}", address, e.toString());
      }
    }
  }

  @Override
  public void unbind() {
    unbind(Set.copyOf(bound.keySet()));
  }

  @Override
  public Set<SocketAddress> getBoundAddresses() {
    return Set.copyOf(bound.keySet());
  }

  @Override
  protected Closeable getInnerCloseable() {
    unbind();
    return super.getInnerCloseable();
  }
}
