package org.tpforward.socket;

import java.io.Closeable;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.net.StandardProtocolFamily;
import java.net.StandardSocketOptions;
import java.net.UnixDomainSocketAddress;
import java.nio.channels.ServerSocketChannel;
import java.nio.channels.SocketChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import org.jspecify.annotations.Nullable;
import org.newsclub.net.unix.AFUNIXServerSocketChannel;

/**
 * A local listening socket. Whoever may not connect is found out by {@link PeerCredentials}, not by
 * the socket's mode: a path is made readable and writable to all, and only its directory keeps
 * anybody away from it.
 */
public final class Listener implements Closeable {
  private static final int BACKLOG = 128;

  private final ServerSocketChannel channel;
  private final Endpoint endpoint;
  private final @Nullable Object fileKey;

  private Listener(ServerSocketChannel channel, Endpoint endpoint, @Nullable Object fileKey) {
    this.channel = channel;
    this.endpoint = endpoint;
    this.fileKey = fileKey;
  }

  /**
   * Begins to listen.
   *
   * @param where a path or name that is free, or a port on a loopback address; port 0 chooses one
   * @throws IOException if that is not possible, with the place in its message
   */
  public static Listener open(Endpoint where) throws IOException {
    try {
      return switch (where) {
        case Endpoint.UnixPath(String path) -> openPath(Path.of(path), where);
        case Endpoint.UnixAbstract name -> openAbstract(name);
        case Endpoint.Ip ip -> openIp(ip);
      };
    } catch (IOException e) {
      throw new IOException("cannot listen at " + where + ": " + e.getMessage(), e);
    }
  }

  private static Listener openPath(Path path, Endpoint where) throws IOException {
    ServerSocketChannel channel = ServerSocketChannel.open(StandardProtocolFamily.UNIX);
    try {
      channel.bind(UnixDomainSocketAddress.of(path), BACKLOG);
      // Until here the umask may keep others out; it never lets anybody past the check.
      Files.setPosixFilePermissions(path, PosixFilePermissions.fromString("rw-rw-rw-"));
      return new Listener(
          channel,
          where,
          Files.getAttribute(path, "unix:ino") + "@" + Files.getAttribute(path, "unix:dev"));
    } catch (IOException | RuntimeException e) {
      channel.close();
      throw e;
    }
  }

  private static Listener openAbstract(Endpoint where) throws IOException {
    AFUNIXServerSocketChannel channel = AFUNIXServerSocketChannel.open();
    try {
      channel.bind(UnixAddresses.of(where), BACKLOG);
      return new Listener(channel, where, null);
    } catch (IOException | RuntimeException e) {
      channel.close();
      throw e;
    }
  }

  private static Listener openIp(Endpoint.Ip ip) throws IOException {
    if (!ip.isLoopback()) {
      throw new IOException("it is no loopback address");
    }
    ServerSocketChannel channel = ServerSocketChannel.open();
    try {
      channel.setOption(StandardSocketOptions.SO_REUSEADDR, true);
      channel.bind(new InetSocketAddress(ip.address(), ip.port()), BACKLOG);
      int port = ((InetSocketAddress) channel.getLocalAddress()).getPort();
      return new Listener(channel, new Endpoint.Ip(ip.address(), port), null);
    } catch (IOException | RuntimeException e) {
      channel.close();
      throw e;
    }
  }

  /** Where it listens, with the port that was chosen. */
  public Endpoint endpoint() {
    return endpoint;
  }

  /** Whether {@link #close} has not been called. */
  public boolean isOpen() {
    return channel.isOpen();
  }

  /**
   * Waits for the next connection. For one thread at a time.
   *
   * @throws IOException if none can be accepted; once closed, by any thread, always
   */
  public Connection accept() throws IOException {
    SocketChannel accepted = channel.accept();
    return new Connection(accepted, endpoint);
  }

  /** Stops listening; a path goes, if it is still this very socket. Idempotent; any thread. */
  @Override
  public void close() {
    try {
      channel.close();
      if (fileKey != null && endpoint instanceof Endpoint.UnixPath(String path)) {
        Path file = Path.of(path);
        Object now =
            Files.getAttribute(file, "unix:ino") + "@" + Files.getAttribute(file, "unix:dev");
        if (fileKey.equals(now)) {
          Files.delete(file);
        }
      }
    } catch (IOException e) {
      // Gone already.
    }
  }
}
