package org.tpforward.agent.forward;

import java.io.Closeable;
import java.io.IOException;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.tpforward.agent.link.RemoteSocket;
import org.tpforward.dbus.Value;
import org.tpforward.relay.Duplex;
import org.tpforward.relay.Threads;
import org.tpforward.socket.Connection;
import org.tpforward.socket.Endpoint;
import org.tpforward.socket.TelepathySockets;
import org.tpforward.ssh.Incoming;
import org.tpforward.telepathy.AccessControl;
import org.tpforward.telepathy.Addresses;
import org.tpforward.telepathy.SocketKind;
import org.tpforward.telepathy.TelepathyException;

/**
 * A client's own listening socket, made reachable for a CM: a listener on the server, and for each
 * connection of the CM one to the client's service.
 *
 * <p>Who on the server connects is known by what the CM was asked for. Under Port a connection is
 * held, unanswered, until NewRemoteConnection names the port from which it came; nobody else's is
 * ever answered. A Unix socket lies in a private directory.
 */
public final class Offering implements Closeable, StreamOwner {
  private static final Logger log = LoggerFactory.getLogger(Offering.class);

  /** Under Localhost connections have nothing to tell them apart by. */
  private static final Object NO_KEY = "localhost";

  /**
   * What is offered.
   *
   * @param id the tube's, or {@link Forward#NO_ID} until the reply has told it
   * @param local what kind the client's service is
   * @param service where it listens
   * @param remote what the CM is told that it is
   */
  public record Spec(
      ChannelKey channel, long id, SocketKind local, Endpoint service, SocketKind remote) {}

  private final Forwards forwards;
  private final ConnectionMatcher matcher = new ConnectionMatcher();
  private final AtomicInteger nextByte = new AtomicInteger();
  private final AtomicBoolean closed = new AtomicBoolean();
  private final Set<Stream> streams = ConcurrentHashMap.newKeySet();
  private volatile Spec spec;
  private volatile @Nullable RemoteSocket socket;

  Offering(Spec spec, Forwards forwards) {
    this.spec = spec;
    this.forwards = forwards;
  }

  void listen() throws IOException {
    socket = forwards.link().listen(spec.remote().type(), this::connected);
  }

  public Spec spec() {
    return spec;
  }

  /** Where the CM connects, as the server sees it. */
  public Endpoint remote() {
    RemoteSocket listening = socket;
    if (listening == null) {
      throw new IllegalStateException("not listening");
    }
    return listening.endpoint();
  }

  /** The reply to the offer has told the tube's id. */
  public void id(long id) {
    spec = new Spec(spec.channel(), id, spec.local(), spec.service(), spec.remote());
  }

  /** How many connections are open. */
  public int openStreams() {
    return streams.size();
  }

  Set<Stream> streams() {
    return streams;
  }

  boolean isOver() {
    return closed.get() && streams.isEmpty();
  }

  /** NewRemoteConnection came, to the agent or to a client. */
  void named(Value parameter, long connectionId) {
    Object key = key(parameter);
    if (key != null) {
      matcher.named(key, connectionId);
    }
  }

  /**
   * What NewRemoteConnection's parameter is on this side: the agent's own port under Port, the byte
   * that the service got under Credentials. Waits for the connection, within a bound.
   *
   * @return {@code parameter} itself where the client's access control gives it no meaning
   */
  public Value parameter(Value parameter, long connectionId) {
    named(parameter, connectionId);
    if (spec.local().access() == AccessControl.LOCALHOST) {
      return parameter;
    }
    try {
      return matcher
          .parameter(connectionId)
          .get(forwards.matchTimeout().toMillis(), TimeUnit.MILLISECONDS);
    } catch (TimeoutException | ExecutionException e) {
      log.warn("connection {} of {} was never made", connectionId, spec.channel().path());
      return parameter;
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      return parameter;
    }
  }

  @Override
  public void close() {
    if (closed.compareAndSet(false, true)) {
      RemoteSocket listening = socket;
      if (listening != null) {
        listening.close();
      }
      forwards.closed(this);
    }
  }

  void abort(String reason) {
    streams.forEach(s -> s.abort(reason));
  }

  @Override
  public void channelOpened() {
    forwards.channelOpened();
  }

  @Override
  public void ended(Stream stream) {
    streams.remove(stream);
    forwards.ended(stream);
    if (closed.get()) {
      forwards.closed(this);
    }
  }

  /** On the SSH reading thread. */
  private void connected(Incoming incoming) {
    if (closed.get() || !forwards.takeStream()) {
      incoming.refuse("the tube is closed, or too many streams are open");
      return;
    }
    Stream stream = new Stream("tube of " + spec.service(), this, null, forwards.toldBound());
    streams.add(stream);
    Threads.start("serve " + spec.service(), () -> serve(stream, incoming));
  }

  private void serve(Stream stream, Incoming incoming) {
    Duplex cm = null;
    try {
      Object key = NO_KEY;
      int value = -1;
      ConnectionMatcher.Arrival arrival;
      if (spec.remote().access() == AccessControl.PORT) {
        arrival = arrived(originator(incoming));
        awaitName(arrival, originator(incoming));
        cm = incoming.accept();
      } else {
        cm = incoming.accept();
        if (spec.remote().access() == AccessControl.CREDENTIALS) {
          value = Stream.credentialByte(cm, forwards.credentialByteTimeout());
          key = value;
        }
        arrival = arrived(key);
      }
      Connection service = connect(value, arrival);
      stream.local(service);
      stream.start(service, cm);
    } catch (IOException e) {
      log.warn("a connection to the tube of {} is ended: {}", spec.service(), e.getMessage());
      incoming.refuse("refused");
      if (cm != null) {
        cm.reset();
      }
      stream.fail();
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      stream.fail();
    }
  }

  private Endpoint.Ip originator(Incoming incoming) throws IOException {
    var from = incoming.originator();
    if (from == null || from.getAddress() == null || !from.getAddress().isLoopbackAddress()) {
      throw new IOException("it does not come from the server itself");
    }
    return new Endpoint.Ip(from.getAddress(), from.getPort());
  }

  private ConnectionMatcher.Arrival arrived(Object key) throws IOException {
    ConnectionMatcher.Arrival arrival = matcher.arrived(key);
    if (arrival == null) {
      throw new IOException("too many connections wait for their NewRemoteConnection");
    }
    return arrival;
  }

  private void awaitName(ConnectionMatcher.Arrival arrival, Endpoint.Ip from)
      throws IOException, InterruptedException {
    try {
      long _ = arrival.named().get(forwards.matchTimeout().toMillis(), TimeUnit.MILLISECONDS);
    } catch (TimeoutException | ExecutionException e) {
      matcher.left(from, arrival);
      throw new IOException("the CM does not vouch for a connection from " + from, e);
    }
  }

  private Connection connect(int value, ConnectionMatcher.Arrival arrival) throws IOException {
    Endpoint where = spec.service();
    return switch (spec.local().access()) {
      case CREDENTIALS -> {
        int sent = value >= 0 ? value : nextByte.getAndIncrement() & 0xff;
        // Known before the service can see it.
        arrival.parameter().complete(new Value.Variant(Value.y(sent)));
        yield TelepathySockets.connectWithByte(where, sent);
      }
      case PORT -> {
        Connection connection = TelepathySockets.connect(where);
        Endpoint.Ip local = connection.local();
        if (local != null) {
          arrival.parameter().complete(new Value.Variant(Addresses.toValue(local)));
        }
        yield connection;
      }
      case LOCALHOST, NETMASK -> TelepathySockets.connect(where);
    };
  }

  private @Nullable Object key(Value parameter) {
    return switch (spec.remote().access()) {
      case PORT -> {
        try {
          yield Addresses.ip(parameter);
        } catch (TelepathyException e) {
          log.warn("NewRemoteConnection names no address: {}", e.getMessage());
          yield null;
        }
      }
      case CREDENTIALS ->
          parameter instanceof Value.Variant(Value.Byte(int value)) ? (Integer) value : null;
      case LOCALHOST, NETMASK -> NO_KEY;
    };
  }
}
