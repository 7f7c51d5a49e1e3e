package org.tpforward.ssh;

import java.nio.channels.ServerSocketChannel;
import org.apache.sshd.common.Factory;
import org.apache.sshd.common.FactoryManager;
import org.apache.sshd.common.io.IoServiceFactory;
import org.apache.sshd.common.io.IoServiceFactoryFactory;
import org.apache.sshd.common.util.threads.CloseableExecutorService;
import org.jspecify.annotations.Nullable;

/**
 * The way of SSH packets to and from the socket, in place of MINA's own NIO2 transport, because
 * that one was where the time went.
 *
 * <p>Each connection has one reading thread, which decrypts and hands out packets, and which never
 * waits for anything but the socket. A write goes to the socket in the thread that makes it, and
 * what the socket does not take at once is written by one more thread, started when first needed.
 * So no write ever blocks inside MINA's locks. Who produces data without end must instead wait
 * outside of them; {@link SshChannels}'s streams do.
 */
public final class SocketTransport implements IoServiceFactoryFactory {
  private final Dialer dialer;
  private final @Nullable ServerSocketChannel listening;

  /** A transport over plain TCP. */
  public SocketTransport() {
    this(Dialer.tcp());
  }

  /**
   * @param dialer makes the connections of the client that has this transport
   */
  public SocketTransport(Dialer dialer) {
    this.dialer = dialer;
    this.listening = null;
  }

  /**
   * @param listening where the server that has this transport accepts, whatever address it is told
   *     to bind to; closed with it
   */
  public SocketTransport(ServerSocketChannel listening) {
    this.dialer = Dialer.tcp();
    this.listening = listening;
  }

  @Override
  public IoServiceFactory create(FactoryManager manager) {
    return new TransportFactory(manager, dialer, listening);
  }

  /** Ignored: the transport's threads are its own. */
  @Override
  public void setExecutorServiceFactory(Factory<CloseableExecutorService> factory) {}
}
