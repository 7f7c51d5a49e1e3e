package org.tpforward.socket;

import java.io.Closeable;
import java.io.IOException;
import java.net.BindException;
import java.net.InetSocketAddress;
import java.net.SocketException;
import java.net.StandardProtocolFamily;
import java.net.StandardSocketOptions;
import java.nio.channels.ServerSocketChannel;
import java.nio.channels.SocketChannel;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import org.jspecify.annotations.Nullable;
import org.newsclub.net.unix.AFUNIXServerSocketChannel;
import org.newsclub.net.unix.FileDescriptorCast;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A listening local socket: a Unix path, an abstract name, or a port on loopback.
 *
 * <p>A Unix path gets mode 0666: every user may connect, and who did is checked by {@link
 * PeerCredentials}, so that a wrong one is seen and told apart from a broken one. Whoever must not
 * even reach it is kept out by its directory, which is the caller's.
 */
public final class Listener implements Closeable {
  private static final Logger log = LoggerFactory.getLogger(Listener.class);
  private static final int BACKLOG = 128;

  private final ServerSocketChannel channel;
  private final Endpoint endpoint;
  private final @Nullable Identity file;

  private Listener(ServerSocketChannel channel, Endpoint endpoint, @Nullable Identity file) {
    this.channel = channel;
    this.endpoint = endpoint;
    this.file = file;
  }

  /** What tells a file from another one that has taken its path since. */
  private record Identity(Object device, Object inode) {
    static Identity of(Path path) throws IOException {
      return new Identity(
          Files.getAttribute(path, "unix:dev", LinkOption.NOFOLLOW_LINKS),
          Files.getAttribute(path, "unix:ino", LinkOption.NOFOLLOW_LINKS));
    }
  }

  /**
   * Listens.
   *
   * @param where for {@link Endpoint.Ip} a loopback address; port 0 lets the system choose, and
   *     {@link #endpoint()} tells
   * @throws BindException if the address is taken; a path is taken as long as any file is there
   * @throws SocketException if the address is none that {@link Endpoint} allows, or not loopback
   * @throws IOException if the directory is missing or cannot be written
   */
  public static Listener open(Endpoint where) throws IOException {
    return open(where, false);
  }

  /**
   * Listens on a Unix socket whose connections have their descriptor, with SO_PASSCRED set, so that
   * {@link CredentialByte#receive} gets credentials with whatever a client sends, however it sends
   * it.
   *
   * @throws IOException as {@link #open(Endpoint)}, or if it is no Unix socket
   */
  public static Listener openForCredentials(Endpoint where) throws IOException {
    return open(where, true);
  }

  private static Listener open(Endpoint where, boolean passCredentials) throws IOException {
    Endpoints.check(where);
    if (passCredentials && where instanceof Endpoint.Ip) {
      throw new SocketException("no credentials cross a TCP socket: " + where);
    }
    ServerSocketChannel channel =
        switch (where) {
          case Endpoint.UnixPath path when !passCredentials && Endpoints.fitsJdk(path) ->
              ServerSocketChannel.open(StandardProtocolFamily.UNIX);
          case Endpoint.UnixPath path -> AFUNIXServerSocketChannel.open();
          case Endpoint.UnixAbstract name -> AFUNIXServerSocketChannel.open();
          case Endpoint.Ip ip -> ServerSocketChannel.open(Endpoints.family(ip));
        };
    try {
      return bound(channel, where, passCredentials);
    } catch (IOException | RuntimeException e) {
      channel.close();
      throw e;
    }
  }

  private static Listener bound(
      ServerSocketChannel channel, Endpoint where, boolean passCredentials) throws IOException {
    if (where instanceof Endpoint.UnixPath(String path)
        && Files.exists(Path.of(path), LinkOption.NOFOLLOW_LINKS)) {
      // The JDK and the kernel would say the same, junixsocket would unlink it.
      throw new BindException("something is there already: " + where);
    }
    try {
      switch (where) {
        case Endpoint.UnixPath path when channel instanceof AFUNIXServerSocketChannel unix -> {
          unix.setDeleteOnClose(false);
          unix.bind(Endpoints.nativeAddress(path), BACKLOG);
        }
        case Endpoint.UnixPath path -> channel.bind(Endpoints.jdkAddress(path), BACKLOG);
        case Endpoint.UnixAbstract name -> channel.bind(Endpoints.nativeAddress(name), BACKLOG);
        case Endpoint.Ip ip -> {
          ProcNetTcp.prepare();
          channel.setOption(StandardSocketOptions.SO_REUSEADDR, true);
          channel.bind(Endpoints.inetAddress(ip), BACKLOG);
        }
      }
    } catch (SocketException e) {
      String message = e.getMessage() + ": " + where;
      SocketException described =
          e instanceof BindException ? new BindException(message) : new SocketException(message);
      described.initCause(e);
      throw described;
    }
    if (passCredentials && channel instanceof AFUNIXServerSocketChannel unix) {
      int fd = FileDescriptorCast.using(unix.getFileDescriptor()).as(Integer.class);
      Libc.get().setOption(fd, Libc.SO_PASSCRED, 1);
    }
    return switch (where) {
      case Endpoint.UnixPath(String path) -> {
        // Only ever opens it further: whatever the umask, nobody got in before who would not now.
        Files.setPosixFilePermissions(Path.of(path), PosixFilePermissions.fromString("rw-rw-rw-"));
        yield new Listener(channel, where, Identity.of(Path.of(path)));
      }
      case Endpoint.UnixAbstract name -> new Listener(channel, where, null);
      case Endpoint.Ip ip -> {
        InetSocketAddress address = (InetSocketAddress) channel.getLocalAddress();
        yield new Listener(channel, new Endpoint.Ip(ip.address(), address.getPort()), null);
      }
    };
  }

  /** Where it listens, with the port that was chosen. */
  public Endpoint endpoint() {
    return endpoint;
  }

  /**
   * Waits for the next connection; who it is from has not been checked. The caller closes it.
   *
   * @throws java.nio.channels.ClosedChannelException (or AsynchronousCloseException, its subclass)
   *     when this listener is closed, by whatever thread
   * @throws IOException for what passes, such as too many open files: the listener goes on
   */
  public Connection accept() throws IOException {
    SocketChannel accepted = channel.accept();
    return Connection.of(accepted, endpoint);
  }

  /** Whether {@link #close} has not been called yet. */
  public boolean isOpen() {
    return channel.isOpen();
  }

  /**
   * Stops listening, and removes the socket from the file system, unless something else has taken
   * its place since. Connections that were accepted go on. Idempotent.
   */
  @Override
  public void close() {
    synchronized (this) {
      if (!channel.isOpen()) {
        return;
      }
      if (file != null && endpoint instanceof Endpoint.UnixPath(String path)) {
        unlink(Path.of(path), file);
      }
      try {
        channel.close();
      } catch (IOException e) {
        log.debug("closing {}: {}", endpoint, e.toString());
      }
    }
  }

  /** While the socket is open its inode cannot be given to another file: so unlink, then close. */
  private static void unlink(Path path, Identity file) {
    try {
      if (Identity.of(path).equals(file)) {
        Files.deleteIfExists(path);
      }
    } catch (NoSuchFileException e) {
      log.debug("{} is gone already", path);
    } catch (IOException e) {
      log.warn("could not remove the socket {}: {}", path, e.toString());
    }
  }

  @Override
  public String toString() {
    return "listener on " + endpoint;
  }
}
