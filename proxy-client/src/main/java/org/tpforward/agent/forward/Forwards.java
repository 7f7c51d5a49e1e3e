package org.tpforward.agent.forward;

import java.io.Closeable;
import java.io.IOException;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.function.Predicate;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.tpforward.agent.link.Link;
import org.tpforward.socket.AllowedUids;
import org.tpforward.socket.Listener;
import org.tpforward.telepathy.Crossing;
import org.tpforward.telepathy.SocketKind;
import org.tpforward.telepathy.TelepathyException;

/**
 * All sockets that an agent re-exposes. A forward belongs to its channel, not to the bus client
 * that made the call: another may go on with it. Thread-safe.
 */
public final class Forwards implements Closeable {
  /**
   * Bounds, all of them defaults that tests shorten.
   *
   * @param sasl how long a D-Bus tube's client, or its server, may take to authenticate
   * @param match how long a connection to an offered tube waits for its NewRemoteConnection, and
   *     the signal for its connection
   * @param credentialByte how long a client may take to send its byte
   * @param bind how long a client that connected waits for the CM's reply to have been read
   * @param told how long after the end of a Telepathy channel its reader may take to hear of it,
   *     before an EOF that was not earned is shown as the end of the stream
   * @param drain how long the streams of a closed channel may stand still before they are ended
   * @param connect how long a client's service may take to take a connection: one whose backlog is
   *     full does not
   * @param maxStreams how many streams may be open at once
   */
  public record Settings(
      Duration credentialByte,
      Duration bind,
      Duration told,
      Duration drain,
      Duration sasl,
      Duration match,
      Duration connect,
      int maxStreams) {
    /** For daily use. */
    public static final Settings DEFAULT =
        new Settings(
            Duration.ofSeconds(30),
            Duration.ofSeconds(60),
            Duration.ofSeconds(5),
            Duration.ofMinutes(5),
            Duration.ofSeconds(30),
            Duration.ofSeconds(10),
            Duration.ofSeconds(10),
            2048);
  }

  private static final Logger log = LoggerFactory.getLogger(Forwards.class);

  private final Link link;
  private final AllowedUids allowed;
  private final ListenerPlaces places;
  private final Settings settings;
  private final Registry registry = new Registry();
  private final StreamLimit limit;
  private final Endings endings;
  private volatile boolean closed;

  public Forwards(Link link, AllowedUids allowed, ListenerPlaces places, Settings settings) {
    this.link = link;
    this.allowed = allowed;
    this.places = places;
    this.settings = settings;
    this.limit = new StreamLimit(settings.maxStreams());
    this.endings = new Endings(settings.told(), settings.drain());
  }

  /**
   * Opens the local listener for a call that is about to go to the CM. It serves nobody before
   * {@link Forward#bind}.
   *
   * @param transfer for an incoming file, whose EOF must be earned; null otherwise
   * @throws TelepathyException NotAvailable if the listener cannot be opened
   */
  public Forward accept(Forward.Spec spec, @Nullable TransferState transfer)
      throws TelepathyException {
    Listener listener;
    try {
      listener = Listener.open(places.next(spec.local().type()));
    } catch (IOException e) {
      throw TelepathyException.notAvailable(
          "tpforward cannot open a local socket: " + e.getMessage());
    }
    Forward forward = new Forward(spec, listener, this, transfer);
    registry.add(forward);
    if (closed) {
      forward.close();
      throw agentEnds();
    }
    forward.start();
    return forward;
  }

  /**
   * Makes a client's listening socket reachable for the CM, before the call that offers it goes on.
   *
   * @param others kinds that will do too, the best first: the server may forbid to listen on Unix
   *     sockets and allow ports, or have no place for a private directory; which one it has become
   *     is in {@link Offering#spec}
   * @throws TelepathyException NotAvailable if the server can listen on none
   */
  public Offering offer(Offering.Spec spec, List<SocketKind> others) throws TelepathyException {
    Offering offering = new Offering(spec, this);
    // Known before it listens: its channel may close at any time from now on.
    registry.add(offering);
    try {
      offering.listen(others);
    } catch (IOException e) {
      offering.close();
      throw TelepathyException.notAvailable(
          "tpforward cannot make the server listen for the tube: " + e.getMessage());
    }
    if (closed) {
      offering.close();
      throw agentEnds();
    }
    return offering;
  }

  /** The tube that a client of this agent has offered on that channel, if any. */
  public Optional<Offering> offered(ChannelKey channel, long id) {
    return registry.offered(channel, id);
  }

  /** The forward that serves that tube already. */
  public Optional<Forward> serving(ChannelKey channel, long id, Crossing.Use use) {
    return registry.serving(channel, id, use);
  }

  /** What the control connection learnt. Does not block. */
  public void happened(ChannelEvent event) {
    switch (event) {
      case ChannelEvent.Closed(ChannelKey channel) ->
          end(
              f -> f.spec().channel().equals(channel),
              o -> o.spec().channel().equals(channel),
              "its channel is closed");
      case ChannelEvent.TubeClosed(ChannelKey channel, long id) ->
          end(
              f -> f.spec().channel().equals(channel) && f.spec().id() == id,
              o -> o.spec().channel().equals(channel) && o.spec().id() == id,
              "its tube is closed");
      case ChannelEvent.OwnerGone(String owner) ->
          end(
              f -> f.spec().channel().owner().equals(owner),
              o -> o.spec().channel().owner().equals(owner),
              "its CM has left the bus");
      case ChannelEvent.NewConnection(ChannelKey channel, var parameter, long id) ->
          offered(channel, Forward.NO_ID).ifPresent(o -> o.named(parameter, id));
      case ChannelEvent.Cancelled(ChannelKey channel) ->
          registry.forwards(f -> f.spec().channel().equals(channel), endings::tellSoon);
      case ChannelEvent.Completed(ChannelKey channel) ->
          registry.transfers(channel, TransferState::completed);
      case ChannelEvent.OffsetDefined(ChannelKey channel, long offset) ->
          registry.transfers(channel, t -> t.offsetDefined(offset));
    }
  }

  /** A message with that event has been written to the bus client of that number. */
  public void delivered(ChannelEvent event, long client) {
    switch (event) {
      case ChannelEvent.Closed(ChannelKey channel) ->
          registry.transfers(channel, t -> t.told(client));
      case ChannelEvent.Cancelled(ChannelKey channel) ->
          registry.transfers(channel, t -> t.told(client));
      case ChannelEvent.OwnerGone(String owner) ->
          registry.transfers(f -> f.spec().channel().owner().equals(owner), t -> t.told(client));
      case ChannelEvent.TubeClosed t -> {}
      case ChannelEvent.NewConnection n -> {}
      case ChannelEvent.Completed c -> {}
      case ChannelEvent.OffsetDefined o -> {}
    }
  }

  /** That bus client's connection is closed, so it knows that whatever it waits for has ended. */
  public void clientGone(long client) {
    registry.transfers(f -> true, t -> t.told(client));
  }

  /**
   * The remote bus is gone and with it all its CMs. To be called after the bus connections of all
   * clients have been closed: they must see that first.
   */
  public void busLost() {
    end(f -> true, o -> true, "the bus is lost");
    registry.transfers(f -> true, TransferState::toldAll);
  }

  /** The local sockets and their streams, as they are now. */
  public List<Forward> list() {
    return registry.forwards();
  }

  /** The offered tubes, as they are now. */
  public List<Offering> offerings() {
    return registry.offerings();
  }

  /** How many streams are open. */
  public int openStreams() {
    return limit.taken();
  }

  /** How many streams, each an SSH channel, were opened so far. */
  public long openedStreams() {
    return limit.opened();
  }

  /** How many connections were disconnected because they were not the rightful client's. */
  public long refusedConnections() {
    return limit.refusals();
  }

  /** Bytes that went to local clients through streams so far, open ones included. */
  public long bytesToClients() {
    return limit.finishedToClient() + registry.ofOpenStreams(Stream::bytesToClient);
  }

  /** Bytes that went to CMs through streams so far, open ones included. */
  public long bytesToCms() {
    return limit.finishedToCm() + registry.ofOpenStreams(Stream::bytesToCm);
  }

  /** Ends everything, and takes nothing more. */
  @Override
  public void close() {
    closed = true;
    endings.close();
    for (Forward forward : registry.forwards()) {
      forward.close();
      forward.streams().abort("the agent ends");
    }
    for (Offering offering : registry.offerings()) {
      offering.close();
      offering.streams().abort("the agent ends");
    }
  }

  Link link() {
    return link;
  }

  AllowedUids allowed() {
    return allowed;
  }

  Settings settings() {
    return settings;
  }

  StreamLimit limit() {
    return limit;
  }

  void closed(Forward forward) {
    if (forward.isOver()) {
      registry.remove(forward);
    }
  }

  void closed(Offering offering) {
    if (offering.isOver()) {
      registry.remove(offering);
    }
  }

  /** Nobody connects any more; what is open drains, and readers hear of it. */
  private void end(Predicate<Forward> which, Predicate<Offering> offered, String why) {
    registry.forwards(
        which,
        f -> {
          log.debug("{} stops listening: {}", f.local(), why);
          f.close();
          endings.tellSoon(f);
          endings.drain(f.streams().open());
        });
    registry.offerings(
        offered,
        o -> {
          o.close();
          endings.drain(o.streams().open());
        });
  }

  private static TelepathyException agentEnds() {
    return TelepathyException.notAvailable("tpforward ends");
  }
}
