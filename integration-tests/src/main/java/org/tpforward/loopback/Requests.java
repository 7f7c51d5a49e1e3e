package org.tpforward.loopback;

import static org.tpforward.loopback.Names.CHANNEL;
import static org.tpforward.loopback.Names.DBUS_TUBE;
import static org.tpforward.loopback.Names.FILE_TRANSFER;
import static org.tpforward.loopback.Names.REQUESTS;
import static org.tpforward.loopback.Names.STREAM_TUBE;
import static org.tpforward.loopback.Names.TUBES;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.freedesktop.dbus.types.Variant;
import org.jspecify.annotations.Nullable;

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
    List<Object[]> classes = new ArrayList<>();
    classes.add(channelClass(FILE_TRANSFER, Handles.CONTACT, FileProperties.REQUESTABLE));
    for (int type : new int[] {Handles.CONTACT, Handles.ROOM}) {
      classes.add(channelClass(STREAM_TUBE, type, List.of("Service")));
      classes.add(channelClass(DBUS_TUBE, type, List.of("ServiceName")));
      classes.add(channelClass(TUBES, type, List.of()));
    }
    return classes;
  }

  private static Object[] channelClass(String type, int targetType, List<String> properties) {
    Map<String, Variant<?>> fixed = new LinkedHashMap<>();
    fixed.put(CHANNEL + ".ChannelType", Values.variant(type, "s"));
    fixed.put(CHANNEL + ".TargetHandleType", Values.variant(Values.u(targetType), "u"));
    List<String> allowed = new ArrayList<>();
    allowed.add(CHANNEL + ".TargetHandle");
    allowed.add(CHANNEL + ".TargetID");
    for (String name : properties) {
      allowed.add(type + "." + name);
    }
    return Values.struct(fixed, allowed);
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
    Channel channel = request(Values.map(call.arguments().get(0)), false);
    call.reply("oa{sv}", Values.o(channel.path()), channel.immutable());
    channel.opened();
  }

  private void ensureChannel(Call call) throws Fault {
    Set<String> before = paths();
    Channel channel = request(Values.map(call.arguments().get(0)), true);
    boolean made = !before.contains(channel.path());
    call.reply("boa{sv}", made, Values.o(channel.path()), channel.immutable());
    if (made) {
      channel.opened();
    }
  }

  private synchronized Set<String> paths() {
    return Set.copyOf(channels.keySet());
  }

  private Channel request(Map<String, Object> request, boolean mayExist) throws Fault {
    connection.checkConnected();
    String type = String.valueOf(request.get(CHANNEL + ".ChannelType"));
    return switch (type) {
      case FILE_TRANSFER -> {
        Target target = Target.of(manager, connection, request);
        List<Connection> peers = target.audience(manager, connection);
        if (target.type() != Handles.CONTACT || peers.isEmpty()) {
          throw Fault.notImplemented("files go to contacts only");
        }
        yield FileTransfer.offer(manager, connection, peers.get(0), FileProperties.of(request));
      }
      case STREAM_TUBE -> {
        Target target = Target.of(manager, connection, request);
        String service = service(request, STREAM_TUBE + ".Service");
        Channel existing = existing(type, target, service);
        yield existing == null
            ? exported(
                new StreamTubeChannel(
                    manager,
                    connection,
                    Channel.Identity.outgoing(type, connection, target),
                    service,
                    target,
                    Map.of(),
                    null))
            : shared(existing, mayExist);
      }
      case DBUS_TUBE -> {
        Target target = Target.of(manager, connection, request);
        String service = service(request, DBUS_TUBE + ".ServiceName");
        Channel existing = existing(type, target, service);
        yield existing == null
            ? exported(
                new DBusTubeChannel(
                    manager,
                    connection,
                    Channel.Identity.outgoing(type, connection, target),
                    service,
                    target,
                    Map.of(),
                    null))
            : shared(existing, mayExist);
      }
      case TUBES -> {
        Target target = Target.of(manager, connection, request);
        Channel existing = tubes(target);
        yield existing == null
            ? exported(
                new TubesChannel(
                    manager,
                    connection,
                    Channel.Identity.outgoing(type, connection, target),
                    target))
            : shared(existing, mayExist);
      }
      default -> throw Fault.notImplemented("no channels of type " + type);
    };
  }

  /** The channel of the older type for a target, if there is one. */
  @Nullable Channel tubes(Target target) {
    for (Channel channel : open()) {
      if (channel instanceof TubesChannel tubes && tubes.target().equals(target)) {
        return tubes;
      }
    }
    return null;
  }

  private static Channel exported(Channel channel) {
    channel.export();
    return channel;
  }

  /** As gabble has it, there is one tube to a target for a service at a time. */
  private static Channel shared(Channel existing, boolean mayExist) throws Fault {
    if (!mayExist) {
      throw Fault.notAvailable("there is such a tube: " + existing.path());
    }
    return existing;
  }

  private static String service(Map<String, Object> request, String name) throws Fault {
    if (!(request.get(name) instanceof String service) || service.isEmpty()) {
      throw Fault.invalidArgument(name + " is missing");
    }
    return service;
  }

  private @Nullable Channel existing(String type, Target target, String service) {
    for (Channel channel : open()) {
      if (channel instanceof TubeChannel tube && tube.isFor(type, target, service)) {
        return tube;
      }
    }
    return null;
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
