package org.tpforward.agent.telepathy;

import java.io.IOException;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.BiConsumer;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.tpforward.dbus.BusConnection;
import org.tpforward.dbus.DBusErrorException;
import org.tpforward.dbus.Signal;
import org.tpforward.dbus.Value;
import org.tpforward.telepathy.Names;

/**
 * An account that is connected, and where its signals go. It is not disconnected by this program,
 * whoever has connected it: others may use it.
 */
final class LiveConnection {
  private static final int CONNECTED = 0;
  private static final int CONNECTING = 1;
  private static final int DISCONNECTED = 2;

  private static final String PEER = "org.freedesktop.DBus.Peer";
  private static final String BUS_LOST = "the bus is lost";

  private static final Logger log = LoggerFactory.getLogger(LiveConnection.class);

  private final BusConnection bus;
  private final Account account;
  private final RemoteObject object;
  private final Map<String, Watch> watches = new ConcurrentHashMap<>();
  private volatile String owner = "";
  private volatile @Nullable BiConsumer<String, Properties> onNewChannel;

  private long status = -1; // guarded by this
  private @Nullable String lost; // guarded by this

  private LiveConnection(BusConnection bus, Account account) {
    this.bus = bus;
    this.account = account;
    this.object = new RemoteObject(bus, account.service(), account.path());
  }

  /**
   * Listens to an account's connection, and connects it if it is not.
   *
   * @throws TransferException if it cannot be connected
   */
  static LiveConnection open(BusConnection bus, Account account)
      throws TransferException, InterruptedException {
    LiveConnection connection = new LiveConnection(bus, account);
    connection.subscribe();
    connection.connect();
    return connection;
  }

  private void subscribe() throws TransferException {
    for (String rule :
        List.of(
            "interface='" + FileState.INTERFACE + "'",
            "interface='" + Names.CHANNEL + "',member='Closed'",
            "interface='" + Names.REQUESTS + "',member='NewChannels'",
            "interface='" + Account.CONNECTION + "',member='StatusChanged'")) {
      listen(rule);
    }
    try {
      bus.addMatch(
          "type='signal',sender='"
              + RemoteObject.BUS
              + "',member='NameOwnerChanged',arg0='"
              + account.service()
              + "'");
    } catch (DBusErrorException | IOException e) {
      throw noSignals(e);
    }
    bus.onClosed(() -> lost(BUS_LOST));
    bus.onSignal(this::dispatch);
    owner =
        Properties.text(
            RemoteObject.bus(bus)
                .value(RemoteObject.BUS, "GetNameOwner", Value.of(account.service())));
  }

  /** On the bus's reading thread. */
  private void dispatch(Signal signal) {
    String sender = signal.header().sender();
    if (RemoteObject.BUS.equals(sender) && signal.is(RemoteObject.BUS, "NameOwnerChanged")) {
      if (!signal.body().isEmpty()
          && account.service().equals(Properties.text(signal.body().getFirst()))) {
        lost("the connection manager has left the bus");
      }
      return;
    }
    if (sender == null || !sender.equals(owner)) {
      return;
    }
    String path = signal.header().path();
    if (account.path().equals(path)) {
      ofConnection(signal);
    }
    Watch watch = path == null ? null : watches.get(path);
    if (watch != null) {
      watch.on(signal);
    }
  }

  private void ofConnection(Signal signal) {
    if (signal.is(Account.CONNECTION, "StatusChanged") && !signal.body().isEmpty()) {
      long now = Properties.number(signal.body().getFirst(), -1);
      synchronized (this) {
        status = now;
        notifyAll();
      }
      if (now == DISCONNECTED) {
        lost("the account was disconnected");
      }
    } else if (signal.is(Names.REQUESTS, "NewChannels") && !signal.body().isEmpty()) {
      newChannels(signal.body().getFirst());
    }
  }

  private void newChannels(Value channels) {
    BiConsumer<String, Properties> handler = onNewChannel;
    if (handler != null) {
      forEach(channels, handler);
    }
  }

  /** Walks an {@code a(oa{sv})} of channels: path and immutable properties. */
  static void forEach(Value channels, BiConsumer<String, Properties> handler) {
    if (!(channels.unwrap() instanceof Value.Array array)) {
      return;
    }
    for (Value element : array.elements()) {
      if (element instanceof Value.Struct(List<Value> fields)
          && fields.size() == 2
          && fields.get(1) instanceof Value.Dict properties) {
        handler.accept(Properties.text(fields.getFirst()), new Properties(properties, ""));
      }
    }
  }

  private void lost(String why) {
    synchronized (this) {
      if (lost == null) {
        lost = why;
      }
      notifyAll();
    }
    watches.values().forEach(watch -> watch.lost(why));
  }

  private void connect() throws TransferException, InterruptedException {
    long now = Properties.number(object.value(Account.CONNECTION, "GetStatus"), DISCONNECTED);
    if (now == CONNECTED) {
      return;
    }
    if (now != CONNECTING) {
      object.call(SessionBus.NETWORK, Account.CONNECTION, "Connect");
    }
    // The connection manager gives up by itself when its network does not answer.
    synchronized (this) {
      while (status != CONNECTED) {
        if (lost != null) {
          throw new TransferException(account.shortName() + " cannot be connected: " + lost);
        }
        wait();
      }
    }
  }

  /** Waits until the connection is of no use any more, and says why. */
  synchronized String awaitLoss() throws InterruptedException {
    while (lost == null) {
      wait();
    }
    return lost;
  }

  /**
   * Why the connection is of no use any more, as far as a round trip through the bus tells; null if
   * it is of use. A connection manager that is slow is not lost.
   */
  @Nullable String loss() {
    try {
      object.call(PEER, "Ping");
    } catch (TransferException e) {
      // Whoever has gone: the bus has said so before it gave the call back.
      log.debug("{}: {}", account.shortName(), e.getMessage());
    }
    if (!bus.isOpen()) {
      return BUS_LOST;
    }
    synchronized (this) {
      return lost;
    }
  }

  /**
   * Tells of new channels from now on, and of those that are there.
   *
   * @param handler gets path and properties; is called by the bus's reading thread too, must not
   *     block, and may be told of one twice
   */
  void onNewChannel(BiConsumer<String, Properties> handler) throws TransferException {
    onNewChannel = handler;
    newChannels(object.property(Names.REQUESTS, "Channels"));
  }

  /** Begins to watch a channel; it reads the channel's state, and so blocks. */
  ChannelWatch watch(RemoteObject channel) throws TransferException {
    ChannelWatch watch = new ChannelWatch();
    watch(channel, watch);
    Properties now = channel.properties(FileState.INTERFACE);
    watch.initially(now.number("State", 0), now.number("InitialOffset", 0));
    return watch;
  }

  /** Begins to tell of an object's signals, the connection's own too, and of the loss of it all. */
  void watch(RemoteObject watched, Watch watch) {
    watches.put(watched.path(), watch);
    String gone;
    synchronized (this) {
      gone = lost;
    }
    if (gone != null) {
      watch.lost(gone);
    }
  }

  /**
   * Has the bus send more of the connection manager's signals about this connection and its
   * channels.
   *
   * @param rule the end of a match rule, such as {@code interface='…'}
   */
  void listen(String rule) throws TransferException {
    try {
      bus.addMatch(
          "type='signal',sender='"
              + account.service()
              + "',path_namespace='"
              + account.path()
              + "',"
              + rule);
    } catch (DBusErrorException | IOException e) {
      throw noSignals(e);
    }
  }

  private static TransferException noSignals(Exception e) {
    return new TransferException("the bus does not send signals: " + e.getMessage());
  }

  /** Ends what {@link #watch} began, and closes the channel as far as it can be. */
  void close(RemoteObject channel) {
    watches.remove(channel.path());
    if (!bus.isOpen()) {
      return;
    }
    try {
      channel.call(Names.CHANNEL, "Close");
    } catch (TransferException e) {
      // Closed already, or nobody is there to do it.
    }
  }

  /** Ends what {@link #watch} began; the channel is somebody else's. */
  void leave(RemoteObject channel) {
    watches.remove(channel.path());
  }

  RemoteObject object() {
    return object;
  }

  Account account() {
    return account;
  }
}
