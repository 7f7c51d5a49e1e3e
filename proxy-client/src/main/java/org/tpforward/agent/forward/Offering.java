package org.tpforward.agent.forward;

import com.google.common.collect.Iterables;
import java.io.Closeable;
import java.io.IOException;
import java.time.Duration;
import java.util.EnumSet;
import java.util.List;
import java.util.Set;
import java.util.StringJoiner;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicInteger;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.tpforward.agent.link.LinkException;
import org.tpforward.agent.link.RemoteSocket;
import org.tpforward.dbus.Value;
import org.tpforward.relay.Duplex;
import org.tpforward.relay.Threads;
import org.tpforward.socket.ByteFirst;
import org.tpforward.socket.Connection;
import org.tpforward.socket.Endpoint;
import org.tpforward.socket.TelepathySockets;
import org.tpforward.ssh.Incoming;
import org.tpforward.telepathy.AccessControl;
import org.tpforward.telepathy.AddressType;
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
  private final ConnectionMatcher matcher;
  private final AtomicInteger nextByte = new AtomicInteger();
  private final StreamSet streams = new StreamSet();
  private volatile Spec spec;
  private volatile @Nullable RemoteSocket socket;

  Offering(Spec spec, Forwards forwards) {
    this.spec = spec;
    this.forwards = forwards;
    this.matcher = new ConnectionMatcher(forwards.settings().match(), System::nanoTime);
  }

  /** Listens as the specification says, or else on the first of the others that can be had. */
  void listen(List<SocketKind> others) throws IOException {
    Set<AddressType> refused = EnumSet.noneOf(AddressType.class);
    StringJoiner reasons = new StringJoiner("; ");
    for (SocketKind remote : Iterables.concat(List.of(spec.remote()), others)) {
      if (refused.contains(remote.type())) {
        continue;
      }
      spec = new Spec(spec.channel(), spec.id(), spec.local(), spec.service(), remote);
      try {
        listen();
        return;
      } catch (LinkException e) {
        throw e; // There is no server to listen on anything.
      } catch (IOException e) {
        if (streams.isClosed()) {
          throw e;
        }
        log.info("the server does not listen ({}): {}", remote, e.getMessage());
        refused.add(remote.type());
        reasons.add(String.valueOf(e.getMessage()));
      }
    }
    throw new IOException(reasons.toString());
  }

  private void listen() throws IOException {
    RemoteSocket listening = forwards.link().listen(spec.remote().type(), this::connected);
    socket = listening;
    if (streams.isClosed()) {
      listening.close();
      throw new IOException("its channel has been closed");
    }
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

  /** Bytes that went to its service so far. */
  public long bytesToClient() {
    return streams.bytesToClient();
  }

  /** Bytes that went to the CM so far. */
  public long bytesToCm() {
    return streams.bytesToCm();
  }

  /** Whether the server listens for it by now, so that {@link #remote} can be told. */
  public boolean isListening() {
    return socket != null;
  }

  /** Its connections. */
  StreamSet streams() {
    return streams;
  }

  boolean isOver() {
    return streams.isOver();
  }

  /** NewRemoteConnection came to the agent: once for each connection. Does not block. */
  void named(Value parameter, long connectionId) {
    Object key = isMatched() ? key(parameter) : null;
    if (key != null) {
      matcher.named(key, connectionId);
    }
  }

  /**
   * What NewRemoteConnection's parameter is on this side: the agent's own port under Port, the byte
   * that the service got under Credentials. Waits for the connection, within a bound. Any number of
   * clients may ask.
   *
   * @return {@code parameter} itself where the client's access control gives it no meaning, or
   *     where it means the same on both sides
   */
  public Value parameter(Value parameter, long connectionId) {
    if (spec.local().access() == AccessControl.LOCALHOST || !isMatched()) {
      return parameter;
    }
    try {
      return matcher
          .parameter(connectionId)
          .get(forwards.settings().match().toMillis(), TimeUnit.MILLISECONDS);
    } catch (TimeoutException | ExecutionException e) {
      log.warn("connection {} of {} was never made", connectionId, spec.channel().path());
      return parameter;
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      return parameter;
    }
  }

  /**
   * Whether connections and signals must be brought together at all: to know who it is under Port,
   * or to say what a client sees of it. Under Credentials on both sides it is the same byte.
   */
  private boolean isMatched() {
    return spec.remote().access() == AccessControl.PORT
        || spec.local().access() == AccessControl.PORT
        || (spec.local().access() == AccessControl.CREDENTIALS
            && spec.remote().access() != AccessControl.CREDENTIALS);
  }

  @Override
  public void close() {
    if (streams.close()) {
      RemoteSocket listening = socket;
      if (listening != null) {
        listening.close();
      }
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

  /** On the SSH reading thread, in the order in which the CM connected. */
  private void connected(Incoming incoming) {
    if (!forwards.limit().take()) {
      incoming.refuse("too many streams are open");
      return;
    }
    Stream stream = new Stream("tube of " + spec.service(), this, null);
    if (!streams.add(stream)) {
      forwards.limit().giveBack();
      incoming.refuse("the tube is closed");
      return;
    }
    boolean inOrder = spec.remote().access() == AccessControl.LOCALHOST && isMatched();
    ConnectionMatcher.Arrival arrival = inOrder ? matcher.arrived(NO_KEY) : null;
    try {
      Threads.run("serve " + spec.service(), () -> serve(stream, incoming, arrival));
    } catch (OutOfMemoryError e) { // How the JDK says that there is no further thread.
      incoming.refuse("no thread is left for it");
      stream.fail();
    }
  }

  private void serve(
      Stream stream, Incoming incoming, ConnectionMatcher.@Nullable Arrival inOrder) {
    ConnectionMatcher.Arrival arrival = inOrder;
    Duplex cm = null;
    try {
      if (spec.remote().access() == AccessControl.PORT) {
        Endpoint.Ip from = originator(incoming);
        arrival = matcher.arrived(from);
        awaitName(arrival, from);
      }
      Duplex accepted = incoming.accept();
      cm = accepted;
      int value = -1;
      if (spec.remote().access() == AccessControl.CREDENTIALS) {
        value = TelepathySockets.readByte(accepted, forwards.settings().credentialByte());
        arrival = isMatched() ? matcher.arrived(value) : null;
      }
      Connection service = connect(value, arrival);
      stream.local(service);
      boolean holds = spec.local().access() == AccessControl.CREDENTIALS;
      Duplex near = holds ? ByteFirst.sent(service, forwards.settings().credentialByte()) : service;
      stream.start(near, accepted);
    } catch (IOException | RuntimeException e) {
      log.warn("a connection to the tube of {} is ended: {}", spec.service(), e.getMessage());
      giveUp(stream, incoming, cm, arrival, e);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      giveUp(stream, incoming, cm, arrival, e);
    }
  }

  private static void giveUp(
      Stream stream,
      Incoming incoming,
      @Nullable Duplex cm,
      ConnectionMatcher.@Nullable Arrival arrival,
      Exception why) {
    if (arrival != null) {
      arrival.parameter().completeExceptionally(why);
    }
    incoming.refuse("refused");
    if (cm != null) {
      cm.reset();
    }
    stream.fail();
  }

  private Endpoint.Ip originator(Incoming incoming) throws IOException {
    var from = incoming.originator();
    if (from == null || from.getAddress() == null || !from.getAddress().isLoopbackAddress()) {
      throw new IOException("it does not come from the server itself");
    }
    return new Endpoint.Ip(from.getAddress(), from.getPort());
  }

  private void awaitName(ConnectionMatcher.Arrival arrival, Endpoint.Ip from)
      throws IOException, InterruptedException {
    try {
      long _ = arrival.named().get(forwards.settings().match().toMillis(), TimeUnit.MILLISECONDS);
    } catch (TimeoutException | ExecutionException e) {
      matcher.left(arrival);
      throw new IOException("the CM does not vouch for a connection from " + from, e);
    }
  }

  /** Connects to the service, and lets its NewRemoteConnection say how. */
  private Connection connect(int value, ConnectionMatcher.@Nullable Arrival arrival)
      throws IOException {
    Endpoint where = spec.service();
    Duration patience = forwards.settings().connect();
    return switch (spec.local().access()) {
      case CREDENTIALS -> {
        int sent = value >= 0 ? value : nextByte.getAndIncrement() & 0xff;
        // Known before the service can see it.
        tell(arrival, Value.y(sent));
        yield TelepathySockets.connectWithByte(where, sent, patience);
      }
      case PORT -> {
        Connection connection = TelepathySockets.connect(where, patience);
        Endpoint.Ip local = connection.local();
        if (local != null) {
          tell(arrival, Addresses.toValue(local));
        }
        yield connection;
      }
      case LOCALHOST, NETMASK -> TelepathySockets.connect(where, patience);
    };
  }

  private static void tell(ConnectionMatcher.@Nullable Arrival arrival, Value parameter) {
    if (arrival != null) {
      arrival.parameter().complete(new Value.Variant(parameter));
    }
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
