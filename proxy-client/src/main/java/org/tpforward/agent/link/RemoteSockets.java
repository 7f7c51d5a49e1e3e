package org.tpforward.agent.link;

import com.google.errorprone.annotations.concurrent.GuardedBy;
import java.io.IOException;
import java.security.SecureRandom;
import java.time.Duration;
import java.util.HexFormat;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.Consumer;
import org.apache.sshd.client.session.ClientSession;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.tpforward.socket.Endpoint;
import org.tpforward.ssh.Announcement;
import org.tpforward.ssh.Incoming;
import org.tpforward.ssh.ListenRefusedException;
import org.tpforward.ssh.RemoteListener;
import org.tpforward.ssh.RemoteListeners;
import org.tpforward.telepathy.AddressType;
import org.tpforward.telepathy.Addresses;

/**
 * The listeners of one connection on the server. Unix sockets lie in a private directory, each
 * under a random name of its own, as sshd never removes one and cannot bind to it again.
 *
 * <p>The directory is made with the first of them and goes with the connection.
 */
final class RemoteSockets {
  private static final Logger log = LoggerFactory.getLogger(RemoteSockets.class);

  private final ClientSession session;
  private final RemoteFiles files;
  private final Duration timeout;
  private final SecureRandom random = new SecureRandom();

  @GuardedBy("this")
  private @Nullable String directory;

  /**
   * For one connection.
   *
   * @param files on the same connection
   * @param timeout for the server's answer to a request to listen
   */
  RemoteSockets(ClientSession session, RemoteFiles files, Duration timeout) {
    this.session = session;
    this.files = files;
    this.timeout = timeout;
  }

  RemoteSocket listen(AddressType type, Consumer<Incoming> connections) throws IOException {
    Endpoint at =
        switch (type) {
          case UNIX -> new Endpoint.UnixPath(place() + "/" + randomName());
          case IPV4, IPV6 -> new Endpoint.Ip(Addresses.loopback(type), 0);
          case ABSTRACT_UNIX -> throw new IllegalArgumentException("sshd has no abstract sockets");
        };
    try {
      return new Socket(RemoteListeners.listen(session, at, timeout, connections));
    } catch (ListenRefusedException e) {
      throw new ChannelRefusedException(
          ChannelRefusedException.Reason.PROHIBITED,
          e.getMessage()
              + ": see AllowTcpForwarding, "
              + (type == AddressType.UNIX ? "AllowStreamLocalForwarding" : "PermitListen")
              + " and DisableForwarding in its sshd_config");
    }
  }

  /** Removes the directory and all that is left in it; what fails is logged. */
  void close() {
    removeBy(files);
  }

  /**
   * As {@link #close}, once the connection itself is lost.
   *
   * @param others on a later connection to the same server
   */
  void removeBy(RemoteFiles others) {
    String made;
    synchronized (this) {
      made = directory;
      directory = null;
    }
    if (made != null) {
      try {
        others.removeDirectory(made);
      } catch (IOException e) {
        log.info("{} is left on the server: {}", made, e.getMessage());
      }
    }
  }

  /** Where the server wants them, or else a directory of this connection's own. */
  private String place() throws IOException {
    String announced = Announcement.of(session).listenDirectory();
    return announced == null ? directory() : announced;
  }

  private synchronized String directory() throws IOException {
    if (directory == null) {
      directory = files.makePrivateDirectory();
    }
    return directory;
  }

  private String randomName() {
    byte[] name = new byte[8];
    random.nextBytes(name);
    return HexFormat.of().formatHex(name);
  }

  private final class Socket implements RemoteSocket {
    private final RemoteListener listener;
    private final AtomicBoolean closed = new AtomicBoolean();

    Socket(RemoteListener listener) {
      this.listener = listener;
    }

    @Override
    public Endpoint endpoint() {
      return listener.endpoint();
    }

    @Override
    public void close() {
      if (closed.compareAndSet(false, true)) {
        listener.close();
        // A server that announces a directory keeps it clean.
        if (Announcement.of(session).listenDirectory() == null
            && endpoint() instanceof Endpoint.UnixPath(String path)) {
          Thread.ofVirtual().name("unlink").start(() -> unlink(path));
        }
      }
    }

    private void unlink(String path) {
      try {
        files.unlink(path);
      } catch (IOException e) {
        log.debug("{} is left on the server for now: {}", path, e.getMessage());
      }
    }
  }
}
