package org.tpforward.loopback;

import static org.tpforward.loopback.Names.CHANNEL;
import static org.tpforward.loopback.Names.FILE_TRANSFER;
import static org.tpforward.loopback.Names.REQUESTS;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.freedesktop.dbus.types.Variant;

/** Requests of one connection: it makes channels, and knows those that are open. Thread-safe. */
final class Requests {
  /** The signature of requestable channel classes. */
  static final String CLASSES = "a(a{sv}as)";

  private static final String DETAILS = "a(oa{sv})";

  private final Manager manager;
  private final Connection connection;
  private final Map<String, Channel> channels = new LinkedHashMap<>();
  private long lastNumber;

  Requests(Manager manager, Connection connection) {
    this.manager = manager;
    this.connection = connection;
  }

  /** What can be asked for. */
  static List<Object[]> requestableChannelClasses() {
    Map<String, Variant<?>> fixed = new LinkedHashMap<>();
    fixed.put(CHANNEL + ".ChannelType", Values.variant(FILE_TRANSFER, "s"));
    fixed.put(CHANNEL + ".TargetHandleType", Values.variant(Values.u(Handles.CONTACT), "u"));
    List<String> allowed = new ArrayList<>();
    allowed.add(CHANNEL + ".TargetHandle");
    allowed.add(CHANNEL + ".TargetID");
    for (String name : FileProperties.REQUESTABLE) {
      allowed.add(FILE_TRANSFER + "." + name);
    }
    return List.<Object[]>of(Values.struct(fixed, allowed));
  }

  void addTo(BusObject object) {
    object.method(REQUESTS, "CreateChannel", "a{sv}", "oa{sv}", this::createChannel);
    object.method(REQUESTS, "EnsureChannel", "a{sv}", "boa{sv}", this::ensureChannel);
    object.signal(REQUESTS, "NewChannels", DETAILS);
    object.signal(REQUESTS, "ChannelClosed", "o");
    object.computed(REQUESTS, "Channels", DETAILS, this::details);
    object.constant(REQUESTS, "RequestableChannelClasses", CLASSES, requestableChannelClasses());
  }

  private void createChannel(Call call) throws Fault {
    Channel channel = request(Values.map(call.arguments().get(0)));
    call.reply("oa{sv}", Values.o(channel.path()), channel.immutable());
    channel.opened();
  }

  private void ensureChannel(Call call) throws Fault {
    Channel channel = request(Values.map(call.arguments().get(0)));
    call.reply("boa{sv}", true, Values.o(channel.path()), channel.immutable());
    channel.opened();
  }

  private Channel request(Map<String, Object> request) throws Fault {
    connection.checkConnected();
    if (!FILE_TRANSFER.equals(request.get(CHANNEL + ".ChannelType"))) {
      throw Fault.notImplemented("no channels of type " + request.get(CHANNEL + ".ChannelType"));
    }
    return FileTransfer.offer(manager, connection, peer(request), FileProperties.of(request));
  }

  /** The connection of the contact that a request is for. */
  private Connection peer(Map<String, Object> request) throws Fault {
    if (!(request.get(CHANNEL + ".TargetHandleType") instanceof Number type)
        || type.longValue() != Handles.CONTACT) {
      throw Fault.notImplemented("TargetHandleType must be Contact");
    }
    Object handle = request.get(CHANNEL + ".TargetHandle");
    Object id = request.get(CHANNEL + ".TargetID");
    if ((handle == null) == (id == null)) {
      throw Fault.invalidArgument("one of TargetHandle and TargetID is needed");
    }
    String name =
        handle instanceof Number number
            ? manager.handles().name(Handles.CONTACT, number.longValue())
            : String.valueOf(id);
    Connection peer = manager.connected(name);
    if (peer == null) {
      throw Fault.of("Offline", name + " is not connected");
    }
    if (peer == connection) {
      throw Fault.notAvailable("nothing can be sent to oneself");
    }
    return peer;
  }

  /** A path for a new channel. */
  synchronized String newPath(String kind) {
    return connection.path() + "/" + kind + ++lastNumber;
  }

  /** Adds a channel, not announced yet. */
  synchronized void add(Channel channel) {
    channels.put(channel.path(), channel);
  }

  /** Announces a channel. */
  void announce(Channel channel) {
    Object[] details = Values.struct(Values.o(channel.path()), channel.immutable());
    connection.emit(REQUESTS, "NewChannels", DETAILS, List.<Object[]>of(details));
  }

  /** Forgets a channel that has closed. */
  void closed(Channel channel) {
    synchronized (this) {
      channels.remove(channel.path());
    }
    connection.emit(REQUESTS, "ChannelClosed", "o", Values.o(channel.path()));
  }

  private synchronized List<Channel> open() {
    return List.copyOf(channels.values());
  }

  private List<Object[]> details() {
    List<Object[]> details = new ArrayList<>();
    for (Channel channel : open()) {
      details.add(Values.struct(Values.o(channel.path()), channel.immutable()));
    }
    return details;
  }

  List<Object[]> listChannels() {
    List<Object[]> list = new ArrayList<>();
    for (Channel channel : open()) {
      Channel.Identity who = channel.identity();
      list.add(
          Values.struct(
              Values.o(channel.path()),
              who.type(),
              Values.u(who.targetType()),
              Values.u(who.target())));
    }
    return list;
  }

  /** Closes all channels, because the connection ends. */
  void closeAll() {
    open().forEach(Channel::close);
  }
}
