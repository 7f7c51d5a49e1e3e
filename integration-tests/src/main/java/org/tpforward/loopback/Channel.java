package org.tpforward.loopback;

import static org.tpforward.loopback.Names.CHANNEL;

import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.atomic.AtomicBoolean;
import org.freedesktop.dbus.types.Variant;

/** A Channel object; its kinds add their own interface. */
abstract class Channel {
  /**
   * What a channel is and whom it is with.
   *
   * @param target the handle of the contact or room
   * @param requested whether its own connection's client asked for it
   */
  record Identity(
      String type,
      int targetType,
      long target,
      String targetId,
      boolean requested,
      long initiator,
      String initiatorId) {
    /** A channel to a target of either kind. */
    static Identity outgoing(String type, Connection from, Target to) {
      return new Identity(
          type, to.type(), to.handle(), to.name(), true, from.handle(), from.account());
    }

    /** The same, seen by one of those whom it reaches. */
    static Identity incoming(String type, Connection from, Target to) {
      return to.type() == Handles.ROOM
          ? new Identity(
              type, to.type(), to.handle(), to.name(), false, from.handle(), from.account())
          : new Identity(
              type, to.type(), from.handle(), from.account(), false, from.handle(), from.account());
    }
  }

  private final Connection connection;
  private final Bus bus;
  private final Identity identity;
  private final BusObject object;
  private final AtomicBoolean closed = new AtomicBoolean();

  Channel(Manager manager, Connection connection, Identity identity, String kind) {
    this.bus = manager.bus();
    this.connection = connection;
    this.identity = identity;
    this.object = new BusObject(connection.requests().newPath(kind));
  }

  String path() {
    return object.path();
  }

  Identity identity() {
    return identity;
  }

  BusObject object() {
    return object;
  }

  boolean isOpen() {
    return !closed.get();
  }

  void emit(String iface, String member, String signature, Object... values) {
    bus.emit(path(), iface, member, signature, values);
  }

  /** Fills in the object and makes it reachable; {@link #opened} announces it. */
  void export() {
    object.method(CHANNEL, "Close", "", "", this::close);
    object.method(CHANNEL, "GetChannelType", "", "s", c -> c.reply("s", identity.type()));
    object.method(CHANNEL, "GetInterfaces", "", "as", c -> c.reply("as", interfaces()));
    object.method(
        CHANNEL,
        "GetHandle",
        "",
        "uu",
        c -> c.reply("uu", Values.u(identity.targetType()), Values.u(identity.target())));
    object.signal(CHANNEL, "Closed", "");
    identityProperties()
        .forEach((name, value) -> object.constant(CHANNEL, name, value.getSig(), value.getValue()));
    addTo(object);
    bus.export(object);
    connection.requests().add(this);
  }

  private Map<String, Variant<?>> identityProperties() {
    Map<String, Variant<?>> properties = new LinkedHashMap<>();
    properties.put("ChannelType", Values.variant(identity.type(), "s"));
    properties.put("Interfaces", Values.variant(interfaces(), "as"));
    properties.put("TargetHandleType", Values.variant(Values.u(identity.targetType()), "u"));
    properties.put("TargetHandle", Values.variant(Values.u(identity.target()), "u"));
    properties.put("TargetID", Values.variant(identity.targetId(), "s"));
    properties.put("Requested", Values.variant(identity.requested(), "b"));
    properties.put("InitiatorHandle", Values.variant(Values.u(identity.initiator()), "u"));
    properties.put("InitiatorID", Values.variant(identity.initiatorId(), "s"));
    return properties;
  }

  /** The properties that come with the channel's path, qualified. */
  Map<String, Variant<?>> immutable() {
    Map<String, Variant<?>> properties = new LinkedHashMap<>();
    identityProperties().forEach((name, value) -> properties.put(CHANNEL + "." + name, value));
    typeProperties().forEach((name, value) -> properties.put(identity.type() + "." + name, value));
    properties.putAll(interfaceProperties());
    return properties;
  }

  /** Announces the channel to its own connection, and to whomever else it concerns. */
  void opened() {
    connection.requests().announce(this);
  }

  private void close(Call call) {
    close();
    call.reply("");
  }

  /** Ends the channel, as Close does. Any thread; idempotent. */
  final void close() {
    if (closed.compareAndSet(false, true)) {
      ending();
      emit(CHANNEL, "Closed", "");
      bus.unexport(object);
      connection.requests().closed(this);
    }
  }

  /** The interfaces beside the channel's type. */
  List<String> interfaces() {
    return List.of();
  }

  /** More immutable properties, qualified: those of {@link #interfaces}. */
  Map<String, Variant<?>> interfaceProperties() {
    return Map.of();
  }

  Connection connection() {
    return connection;
  }

  /** Adds the methods, properties and signals of the channel's type. */
  abstract void addTo(BusObject object);

  /** The immutable properties of the channel's type. */
  abstract Map<String, Variant<?>> typeProperties();

  /** What must happen before the channel says Closed. */
  abstract void ending();
}
