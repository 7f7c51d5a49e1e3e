package org.tpforward.agent.forward;

import java.io.Closeable;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.tpforward.agent.forward.Forwards.Settings;
import org.tpforward.relay.Duplex;
import org.tpforward.relay.Threads;
import org.tpforward.socket.Connection;
import org.tpforward.socket.Endpoint;
import org.tpforward.socket.Listener;
import org.tpforward.socket.PeerCredentials;
import org.tpforward.socket.TelepathySockets;
import org.tpforward.ssh.ChannelOpenFailedException;
import org.tpforward.ssh.Opening;
import org.tpforward.telepathy.AccessControl;
import org.tpforward.telepathy.Crossing;
import org.tpforward.telepathy.SocketKind;

/**
 * One socket of a CM, re-exposed on the desktop: a local listener, and a stream to the CM's socket
 * for each connection of the rightful client.
 *
 * <p>The listener lives until its channel closes; a file's takes one connection only. Streams that
 * are open then end by their own EOF: events overtake data, which travel on other channels.
 */
public final class Forward implements Closeable, StreamOwner {
  private static final Logger log = LoggerFactory.getLogger(Forward.class);

  /** In the place of a tube's id where a channel has one socket only. */
  public static final long NO_ID = -1;

  /** How long to wait before accepting again where the process is out of descriptors. */
  private static final Duration ACCEPT_PAUSE = Duration.ofMillis(200);

  /**
   * What is forwarded.
   *
   * @param id the tube's, or {@link #NO_ID}
   * @param local what the client asked for
   * @param source under Port, from where alone the client may connect
   * @param remote what the CM is asked for
   */
  public record Spec(
      ChannelKey channel,
      long id,
      Crossing.Use use,
      SocketKind local,
      Endpoint.@Nullable Ip source,
      SocketKind remote) {
    boolean isFile() {
      return use == Crossing.Use.INCOMING_FILE || use == Crossing.Use.OUTGOING_FILE;
    }
  }

  private final Spec spec;
  private final Listener listener;
  private final Forwards forwards;
  private final @Nullable TransferState transfer;
  private final CountDownLatch bound = new CountDownLatch(1);
  private final StreamSet streams = new StreamSet();
  private volatile @Nullable Endpoint target;

  Forward(Spec spec, Listener listener, Forwards forwards, @Nullable TransferState transfer) {
    this.spec = spec;
    this.listener = listener;
    this.forwards = forwards;
    this.transfer = transfer;
  }

  public Spec spec() {
    return spec;
  }

  /** Where the client connects. */
  public Endpoint local() {
    return listener.endpoint();
  }

  /** The state of an incoming file; null for everything else. */
  @Nullable TransferState transfer() {
    return transfer;
  }

  /** The CM has said where it listens: connections go there from now on. */
  public void bind(Endpoint where) {
    target = where;
    bound.countDown();
  }

  /** Whether a client may still connect. */
  public boolean isListening() {
    return !streams.isClosed();
  }

  /** How many connections are open. */
  public int openStreams() {
    return streams.size();
  }

  /** Bytes that went to its client so far. */
  public long bytesToClient() {
    return streams.bytesToClient();
  }

  /** Bytes that went to the CM so far. */
  public long bytesToCm() {
    return streams.bytesToCm();
  }

  /** Whether it has been bound and still listens. */
  boolean isServing() {
    return target != null && !streams.isClosed();
  }

  /** Where the CM listens, once it has said so. */
  public @Nullable Endpoint target() {
    return target;
  }

  /** Its connections. */
  StreamSet streams() {
    return streams;
  }

  void start() {
    Threads.start("accept " + spec.use() + " " + local(), this::acceptAll);
  }

  /** Whether nothing listens and no stream is open. */
  boolean isOver() {
    return streams.isOver();
  }

  /** Stops listening; streams that are open go on. */
  @Override
  public void close() {
    if (streams.close()) {
      listener.close();
      bound.countDown();
      forwards.closed(this);
    }
  }

  @Override
  public void channelOpened() {
    forwards.limit().channelOpened();
  }

  @Override
  public void ended(Stream stream) {
    streams.remove(stream);
    forwards.limit().ended(stream);
    if (streams.isClosed()) {
      forwards.closed(this);
    }
  }

  private void acceptAll() {
    while (!streams.isClosed()) {
      Connection connection;
      try {
        connection = listener.accept();
      } catch (IOException e) {
        if (streams.isClosed()) {
          return;
        }
        log.warn("{}: cannot accept: {}", local(), e.toString());
        if (!listener.isOpen() || !pause()) {
          close();
          return;
        }
        continue;
      }
      if (admit(connection) && serve(connection) && spec.isFile()) {
        close();
        return;
      }
    }
  }

  /** Whether it has become a stream; the permit for one has been taken. */
  private boolean serve(Connection connection) {
    Stream stream = new Stream(spec.use() + " at " + local(), this, transfer);
    stream.local(connection);
    if (!streams.add(stream)) {
      forwards.limit().giveBack();
      connection.reset();
      return false;
    }
    try {
      if (!beginOpening(stream, connection)) {
        openWaiting(stream, connection);
      }
      return true;
    } catch (OutOfMemoryError e) { // How the JDK says that there is no further thread.
      log.warn("a connection to {} is ended: {}", local(), e.getMessage());
      stream.fail();
      return false;
    }
  }

  private void openWaiting(Stream stream, Connection connection) {
    Runnable opening = () -> open(stream, connection);
    if (connection.suitsVirtualThreads()) {
      Threads.waiting("open " + local(), opening);
    } else {
      Threads.run("open " + local(), opening);
    }
  }

  /**
   * The short way for a connection that needs nothing but a channel: without a thread that waits
   * for the server's answer. Whether it has been taken.
   */
  private boolean beginOpening(Stream stream, Connection connection) {
    Endpoint where = target;
    return where != null
        && spec.use() == Crossing.Use.STREAM_TUBE
        && spec.local().access() != AccessControl.CREDENTIALS
        && spec.remote().access() != AccessControl.CREDENTIALS
        && forwards.link().begin(where, new Opened(stream, connection));
  }

  private final class Opened implements Opening {
    private final Stream stream;
    private final Connection connection;

    Opened(Stream stream, Connection connection) {
      this.stream = stream;
      this.connection = connection;
    }

    @Override
    public void opened(Duplex far) {
      try {
        stream.start(connection, far);
      } catch (IOException | RuntimeException e) {
        far.reset();
        end(e);
      }
    }

    @Override
    public void failed(IOException why) {
      if (why instanceof ChannelOpenFailedException) {
        openWaiting(stream, connection); // That knows what it means, and when to try again.
      } else {
        end(why);
      }
    }

    private void end(Exception why) {
      log.warn("a connection to {} ({}) is ended: {}", local(), spec.use(), why.getMessage());
      stream.fail();
    }
  }

  /** Lets in only who must be there; anybody else is gone before a byte is read. */
  private boolean admit(Connection connection) {
    String wrong = null;
    try {
      PeerCredentials peer = PeerCredentials.of(connection);
      if (!forwards.allowed().allows(peer)) {
        wrong = peer + " is not allowed";
      } else if (spec.source() != null && !spec.source().equals(connection.remote())) {
        wrong = "it comes from " + connection.remote() + " instead of " + spec.source();
      }
    } catch (IOException | RuntimeException e) {
      wrong = "its credentials cannot be read: " + e.getMessage();
    }
    if (wrong != null) {
      forwards.limit().refused();
    } else if (!forwards.limit().take()) {
      wrong = "too many streams are open";
    }
    if (wrong != null) {
      log.warn("a connection to {} ({}) is disconnected: {}", local(), spec.use(), wrong);
      connection.reset();
    }
    return wrong == null;
  }

  private void open(Stream stream, Connection connection) {
    Settings settings = forwards.settings();
    try {
      // Who it is has been checked already, by whom the kernel says that connected.
      int value =
          spec.local().access() == AccessControl.CREDENTIALS
              ? TelepathySockets.readByte(connection, settings.credentialByte())
              : 0;
      Duplex near =
          spec.use() == Crossing.Use.DBUS_TUBE
              ? TubeSasl.server(connection, settings.sasl())
              : connection;
      stream.start(near, toCm(value));
    } catch (IOException | RuntimeException e) {
      log.warn("a connection to {} ({}) is ended: {}", local(), spec.use(), e.getMessage());
      stream.fail();
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      stream.fail();
    }
  }

  /**
   * Opens the channel to where the CM has said that it listens, waiting for that.
   *
   * @param value the byte to send first, where the CM wants one
   */
  private Duplex toCm(int value) throws IOException, InterruptedException {
    Settings settings = forwards.settings();
    boolean replied = bound.await(settings.bind().toMillis(), TimeUnit.MILLISECONDS);
    Endpoint where = target;
    if (where == null) {
      throw new IOException(
          replied
              ? "the CM will not listen for it"
              : "the CM has not said within " + settings.bind() + " where it listens");
    }
    Duplex far = forwards.link().open(where);
    if (spec.use() == Crossing.Use.DBUS_TUBE) {
      return TubeSasl.client(far, spec.remote().access(), settings.sasl());
    }
    if (spec.remote().access() == AccessControl.CREDENTIALS) {
      // The server sends it with its own credentials, and the rest once the CM has read it.
      far.write(ByteBuffer.wrap(new byte[] {(byte) value}));
    }
    return far;
  }

  private static boolean pause() {
    try {
      Thread.sleep(ACCEPT_PAUSE);
      return true;
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      return false;
    }
  }
}
