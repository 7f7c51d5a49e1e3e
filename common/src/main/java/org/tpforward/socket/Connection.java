package org.tpforward.socket;

import java.io.IOException;
import java.net.InetSocketAddress;
import java.net.SocketException;
import java.net.StandardSocketOptions;
import java.nio.ByteBuffer;
import java.nio.channels.AsynchronousCloseException;
import java.nio.channels.ClosedChannelException;
import java.nio.channels.SelectionKey;
import java.nio.channels.Selector;
import java.nio.channels.SocketChannel;
import java.time.Duration;
import org.jspecify.annotations.Nullable;
import org.newsclub.net.unix.AFUNIXSocketChannel;
import org.newsclub.net.unix.AFUNIXSocketCredentials;
import org.newsclub.net.unix.FileDescriptorCast;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.tpforward.relay.Duplex;
import org.tpforward.relay.EventLoop;
import org.tpforward.relay.Eventful;

/**
 * A connected local socket: the JDK's channel for Unix paths and loopback TCP; junixsocket's for
 * abstract names, and where the descriptor is needed ({@link #hasDescriptor}).
 *
 * <p>Threads are as {@link Duplex} says, with one more rule: a connection of junixsocket may be
 * read or written on a virtual thread only while nothing else happens on it. Its pumps are platform
 * threads (junixsocket issue 172: it stalls otherwise).
 *
 * <p>On TCP, {@link #close} discards what was received and not read, and the kernel then tells the
 * peer with a reset; read to the end first where the peer must get everything.
 */
public final class Connection implements Eventful {
  private static final Duration DEFAULT_TIMEOUT = Duration.ofSeconds(30);
  private static final Logger log = LoggerFactory.getLogger(Connection.class);

  private final SocketChannel channel;
  private final Endpoint at;
  private final Endpoint.@Nullable Ip local;
  private final Endpoint.@Nullable Ip remote;

  /** Guards {@link #ended}, {@link #descriptorUsers} and the act of closing. */
  private final Object closing = new Object();

  private volatile boolean ended;
  private int descriptorUsers;

  private final Watching watching = new Watching();

  /** Who is told of what can be read; guards its fields, and that the channel is non-blocking. */
  private static final class Watching {
    private @Nullable EventLoop loop;
    private @Nullable SelectionKey key;
  }

  /** Once it is needed and can be had; guarded by {@link #closing}. */
  private @Nullable NowaitSocket nowait;

  private Connection(
      SocketChannel channel,
      Endpoint at,
      Endpoint.@Nullable Ip local,
      Endpoint.@Nullable Ip remote) {
    this.channel = channel;
    this.at = at;
    this.local = local;
    this.remote = remote;
  }

  /**
   * Takes a socket over; closes it if it is not connected any more.
   *
   * @param channel connected and blocking
   * @param at where the listening side of it is
   */
  public static Connection of(SocketChannel channel, Endpoint at) throws IOException {
    try {
      if (at instanceof Endpoint.Ip) {
        // They cannot be asked for any more once the connection is closed, and logs want them then.
        InetSocketAddress peer = (InetSocketAddress) channel.getRemoteAddress();
        InetSocketAddress here = (InetSocketAddress) channel.getLocalAddress();
        channel.setOption(StandardSocketOptions.TCP_NODELAY, true);
        return new Connection(channel, at, Endpoints.ip(here), Endpoints.ip(peer));
      }
      return new Connection(channel, at, null, null);
    } catch (IOException | RuntimeException e) {
      channel.close();
      throw e;
    }
  }

  /** Connects to a local socket, waiting for 30 s at most. */
  public static Connection connect(Endpoint where) throws IOException {
    return connect(where, DEFAULT_TIMEOUT);
  }

  /**
   * Connects to a local socket.
   *
   * @param timeout how long to wait for a place in the listener's backlog, or TCP's handshake;
   *     positive
   * @throws java.net.SocketTimeoutException when it takes longer
   * @throws SocketException if the address is none that {@link Endpoint} allows, or not loopback
   * @throws IOException if nobody listens there, or permissions forbid it
   */
  public static Connection connect(Endpoint where, Duration timeout) throws IOException {
    return Dialer.connect(where, null, timeout);
  }

  /** Connects from a port of the caller's choice, waiting for 30 s at most. */
  public static Connection connect(Endpoint.Ip where, Endpoint.Ip from) throws IOException {
    return connect(where, from, DEFAULT_TIMEOUT);
  }

  /**
   * Connects from a port of the caller's choice, as access control Port wants it.
   *
   * @param from a loopback address of the same family, and the port to connect from
   * @throws IOException as {@link #connect(Endpoint, Duration)}, or if the port is taken
   */
  public static Connection connect(Endpoint.Ip where, Endpoint.Ip from, Duration timeout)
      throws IOException {
    return Dialer.connect(where, from, timeout);
  }

  /** Connects so that {@link CredentialByte} can be sent, waiting for 30 s at most. */
  public static Connection connectForCredentials(Endpoint where) throws IOException {
    return connectForCredentials(where, DEFAULT_TIMEOUT);
  }

  /**
   * Connects to a Unix socket so that {@link CredentialByte} can be sent: a connection that {@link
   * #hasDescriptor has its descriptor}.
   *
   * @throws SocketException if it is no Unix socket
   * @throws IOException as {@link #connect(Endpoint, Duration)}
   */
  public static Connection connectForCredentials(Endpoint where, Duration timeout)
      throws IOException {
    return Dialer.connectNative(where, timeout);
  }

  /** The peer's address, for TCP; null on a Unix socket, whose clients have none. */
  public Endpoint.@Nullable Ip remote() {
    return remote;
  }

  /** This end's address, for TCP; null on a Unix socket. */
  public Endpoint.@Nullable Ip local() {
    return local;
  }

  /** Whether {@link CredentialByte} works on this connection. */
  public boolean hasDescriptor() {
    return channel instanceof AFUNIXSocketChannel;
  }

  /** The channel beneath, for code that is written for one. It is closed with this connection. */
  public SocketChannel channel() {
    return channel;
  }

  /** The JDK's channels do; see the class comment for junixsocket's. */
  @Override
  public boolean suitsVirtualThreads() {
    return !hasDescriptor();
  }

  @Override
  public int read(ByteBuffer dst) throws IOException {
    int n = channel.read(dst);
    if (n < 0 && ended) {
      // junixsocket tells a reader whose own side closed the same as an end by the peer.
      throw new AsynchronousCloseException();
    }
    return n;
  }

  @Override
  public int write(ByteBuffer src) throws IOException {
    int total = 0;
    while (src.hasRemaining()) {
      total += channel.write(src);
    }
    return total;
  }

  @Override
  public int writeNow(byte[] bytes, int offset, int length) {
    // The lock keeps the descriptor this socket's; the call does not wait.
    synchronized (closing) {
      if (ended) {
        return 0;
      }
      if (nowait == null) {
        nowait = NowaitSocket.of(channel);
      }
      return nowait == null ? 0 : nowait.send(bytes, offset, length);
    }
  }

  @Override
  public void shutdownOutput() throws IOException {
    channel.shutdownOutput();
  }

  @Override
  public boolean isOpen() {
    return !ended && channel.isOpen();
  }

  @Override
  public void close() {
    end(false);
  }

  @Override
  public void reset() {
    end(true);
  }

  private void end(boolean abortive) {
    synchronized (closing) {
      if (ended) {
        return;
      }
      ended = true;
      if (descriptorUsers > 0) {
        // The number must not be given to another socket while a system call may still use it: wake
        // that call, and let it do the rest.
        shutdownQuietly();
        return;
      }
      closeChannel(abortive && remote != null);
    }
  }

  private void closeChannel(boolean abortive) {
    try {
      if (abortive) {
        channel.setOption(StandardSocketOptions.SO_LINGER, 0);
      }
    } catch (IOException | RuntimeException e) {
      log.debug("no reset for {}: {}", this, e.toString());
    }
    try {
      channel.close();
    } catch (IOException e) {
      log.debug("closing {}: {}", this, e.toString());
    }
    unwatch();
  }

  private void shutdownQuietly() {
    try {
      channel.shutdownInput();
      channel.shutdownOutput();
    } catch (IOException e) {
      log.debug("shutting down {}: {}", this, e.toString());
    }
  }

  /** The JDK's channels can be. */
  @Override
  public boolean canBeWatched() {
    return !hasDescriptor();
  }

  @Override
  public void watch(EventLoop loop, Runnable listener) throws IOException {
    synchronized (watching) {
      channel.configureBlocking(false);
      watching.loop = loop;
    }
    listener.run();
    synchronized (watching) {
      if (watching.loop != null && !ended) {
        watching.key = loop.register(channel, listener);
      }
    }
  }

  @Override
  public void unwatch() {
    EventLoop loop;
    synchronized (watching) {
      loop = watching.key == null ? null : watching.loop;
      if (watching.key != null) {
        watching.key.cancel();
      }
      watching.key = null;
      watching.loop = null;
    }
    if (loop != null) {
      loop.forget();
    }
  }

  @Override
  public void toBlocking() throws IOException {
    unwatch();
    channel.configureBlocking(true);
  }

  @Override
  public int readNow(ByteBuffer dst) throws IOException {
    return channel.read(dst);
  }

  /** The socket's buffer is not known here. */
  @Override
  public int roomNow() {
    return Integer.MAX_VALUE;
  }

  @Override
  public int writeNow(ByteBuffer src) throws IOException {
    return channel.write(src);
  }

  /**
   * Whether the peer of a Unix socket has closed it, where one that has only ended its direction
   * reads on: {@link #read} says the same of both. For a thread that is alone on this connection,
   * after the end was read. On TCP the two look alike to the kernel too: always false.
   */
  public boolean isHungUp() {
    if (remote != null || ended) {
      return false;
    }
    try {
      return channel instanceof AFUNIXSocketChannel
          ? withDescriptor(fd -> Libc.get().poll(fd, (short) 0, 0)) // POLLHUP needs no asking for
          : isHungUp(channel);
    } catch (IOException | RuntimeException e) {
      log.debug("{}: cannot tell whether its peer is there: {}", this, e.toString());
      return false;
    }
  }

  /**
   * The JDK shows no POLLHUP, but reports with it whatever was asked for; and a connected channel
   * is never ready to connect otherwise.
   */
  private static boolean isHungUp(SocketChannel channel) throws IOException {
    try (Selector selector = Selector.open()) {
      channel.configureBlocking(false);
      SelectionKey _ = channel.register(selector, SelectionKey.OP_CONNECT);
      return selector.selectNow() > 0;
    } finally {
      channel.configureBlocking(true); // The selector is closed, and its keys with it.
    }
  }

  /** A system call on the descriptor. */
  @FunctionalInterface
  interface DescriptorCall<T> {
    T run(int fd) throws IOException;
  }

  /** Runs a call with the descriptor, which stays this socket's for so long. */
  <T> T withDescriptor(DescriptorCall<T> call) throws IOException {
    if (!(channel instanceof AFUNIXSocketChannel unix)) {
      throw new SocketException(
          "this connection has no descriptor: open it with connectForCredentials, or its listener"
              + " with openForCredentials");
    }
    synchronized (closing) {
      if (ended) {
        throw new ClosedChannelException();
      }
      descriptorUsers++;
    }
    try {
      return call.run(FileDescriptorCast.using(unix.getFileDescriptor()).as(Integer.class));
    } finally {
      synchronized (closing) {
        descriptorUsers--;
        if (ended && descriptorUsers == 0) {
          closeChannel(false);
        }
      }
    }
  }

  /**
   * Whether {@link #close} or {@link #reset} was called: what a system call saw is then no news.
   */
  boolean ended() {
    return ended;
  }

  /** SO_PEERCRED of a channel of the JDK: pid, uid and gid; null if they cannot be had so. */
  int @Nullable [] peer() {
    synchronized (closing) {
      if (ended) {
        return null;
      }
      if (nowait == null) {
        nowait = NowaitSocket.ifPrepared(channel);
      }
      return nowait == null ? null : nowait.peer();
    }
  }

  /** SO_PEERCRED as junixsocket gives it; null on a channel of the JDK. */
  @Nullable AFUNIXSocketCredentials nativeCredentials() throws IOException {
    return channel instanceof AFUNIXSocketChannel unix ? unix.getPeerCredentials() : null;
  }

  @Override
  public String toString() {
    return at.toString();
  }
}
