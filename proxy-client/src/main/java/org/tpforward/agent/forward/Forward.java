package org.tpforward.agent.forward;

import java.io.Closeable;
import java.io.IOException;
import java.time.Duration;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.LongAdder;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.tpforward.relay.Duplex;
import org.tpforward.relay.Threads;
import org.tpforward.socket.Connection;
import org.tpforward.socket.Endpoint;
import org.tpforward.socket.Listener;
import org.tpforward.socket.PeerCredentials;
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
  private final AtomicBoolean closed = new AtomicBoolean();
  private final Set<Stream> streams = ConcurrentHashMap.newKeySet();
  private final LongAdder finishedToClient = new LongAdder();
  private final LongAdder finishedToCm = new LongAdder();
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
    return !closed.get();
  }

  /** How many connections are open. */
  public int openStreams() {
    return streams.size();
  }

  /** Bytes that went to its client so far. */
  public long bytesToClient() {
    return finishedToClient.sum() + streams.stream().mapToLong(Stream::bytesToClient).sum();
  }

  /** Bytes that went to the CM so far. */
  public long bytesToCm() {
    return finishedToCm.sum() + streams.stream().mapToLong(Stream::bytesToCm).sum();
  }

  /** Whether it has been bound and still listens. */
  boolean isServing() {
    return target != null && !closed.get();
  }

  /** Where the CM listens, once it has said so. */
  public @Nullable Endpoint target() {
    return target;
  }

  /** The connections that are open now. */
  Set<Stream> streams() {
    return streams;
  }

  void start() {
    Threads.start("accept " + spec.use() + " " + local(), this::acceptAll);
  }

  /** Whether nothing listens and no stream is open. */
  boolean isOver() {
    return closed.get() && streams.isEmpty();
  }

  /** Stops listening; streams that are open go on. */
  @Override
  public void close() {
    if (closed.compareAndSet(false, true)) {
      listener.close();
      bound.countDown();
      forwards.closed(this);
    }
  }

  /** Ends the open streams as broken ones. */
  void abort(String reason) {
    for (Stream stream : streams) {
      stream.abort(reason);
    }
  }

  @Override
  public void channelOpened() {
    forwards.channelOpened();
  }

  @Override
  public void ended(Stream stream) {
    streams.remove(stream);
    finishedToClient.add(stream.bytesToClient());
    finishedToCm.add(stream.bytesToCm());
    forwards.ended(stream);
    if (closed.get()) {
      forwards.closed(this);
    }
  }

  private void acceptAll() {
    while (!closed.get()) {
      Connection connection;
      try {
        connection = listener.accept();
      } catch (IOException e) {
        if (closed.get()) {
          return;
        }
        log.warn("{}: cannot accept: {}", local(), e.toString());
        if (!listener.isOpen() || !pause()) {
          close();
          return;
        }
        continue;
      }
      if (admit(connection)) {
        Stream stream =
            new Stream(spec.use() + " at " + local(), this, transfer, forwards.toldBound());
        stream.local(connection);
        streams.add(stream);
        Threads.start("open " + local(), () -> open(stream, connection));
        if (spec.isFile()) {
          close();
          return;
        }
      }
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
      } else if (!forwards.takeStream()) {
        wrong = "too many streams are open";
      }
    } catch (IOException e) {
      wrong = "its credentials cannot be read: " + e.getMessage();
    }
    if (wrong != null) {
      log.warn("a connection to {} ({}) is disconnected: {}", local(), spec.use(), wrong);
      connection.reset();
      forwards.refused();
    }
    return wrong == null;
  }

  private void open(Stream stream, Connection connection) {
    try {
      if (spec.local().access() == AccessControl.CREDENTIALS) {
        // Who it is has been checked already, by whom the kernel says that connected.
        int _ = Stream.credentialByte(connection, forwards.credentialByteTimeout());
      }
      Duplex near = connection;
      if (spec.use() == Crossing.Use.DBUS_TUBE) {
        near = TubeSasl.server(connection, forwards.saslTimeout());
      }
      if (!bound.await(forwards.bindTimeout().toMillis(), TimeUnit.MILLISECONDS)) {
        log.debug("{}: no reply yet", local());
      }
      Endpoint where = target;
      if (where == null) {
        throw new IOException("the CM has not said where it listens");
      }
      Duplex far = forwards.link().open(where);
      if (spec.use() == Crossing.Use.DBUS_TUBE) {
        far = TubeSasl.client(far, spec.remote().access(), forwards.saslTimeout());
      }
      stream.start(near, far);
    } catch (IOException e) {
      log.warn("a connection to {} ({}) is ended: {}", local(), spec.use(), e.getMessage());
      stream.fail();
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      stream.fail();
    }
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
