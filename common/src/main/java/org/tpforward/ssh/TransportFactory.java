package org.tpforward.ssh;

import java.nio.channels.ServerSocketChannel;
import org.apache.sshd.common.FactoryManager;
import org.apache.sshd.common.io.IoAcceptor;
import org.apache.sshd.common.io.IoConnector;
import org.apache.sshd.common.io.IoHandler;
import org.apache.sshd.common.io.IoServiceEventListener;
import org.apache.sshd.common.io.IoServiceFactory;
import org.apache.sshd.common.util.closeable.AbstractCloseable;
import org.jspecify.annotations.Nullable;

/** Makes the connector of a client, or the acceptor of a server. Holds nothing itself. */
final class TransportFactory extends AbstractCloseable implements IoServiceFactory {
  private final FactoryManager manager;
  private final Dialer dialer;
  private final @Nullable ServerSocketChannel listening;
  private @Nullable IoServiceEventListener listener;

  TransportFactory(FactoryManager manager, Dialer dialer, @Nullable ServerSocketChannel listening) {
    this.manager = manager;
    this.dialer = dialer;
    this.listening = listening;
    this.listener = manager.getIoServiceEventListener();
  }

  @Override
  public IoConnector createConnector(IoHandler handler) {
    TransportConnector connector = new TransportConnector(manager, handler, dialer);
    connector.setIoServiceEventListener(listener);
    return connector;
  }

  @Override
  public IoAcceptor createAcceptor(IoHandler handler) {
    TransportAcceptor acceptor = new TransportAcceptor(manager, handler, listening);
    acceptor.setIoServiceEventListener(listener);
    return acceptor;
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
