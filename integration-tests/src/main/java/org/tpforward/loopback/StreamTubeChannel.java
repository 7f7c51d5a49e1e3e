package org.tpforward.loopback;

import static org.tpforward.loopback.Names.STREAM_TUBE;

import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.freedesktop.dbus.types.Variant;
import org.jspecify.annotations.Nullable;
import org.tpforward.telepathy.AccessControl;
import org.tpforward.telepathy.AddressType;
import org.tpforward.telepathy.SocketKind;

/** Channel.Type.StreamTube, either end. */
final class StreamTubeChannel extends TubeChannel implements TubeEnd {
  private final String service;
  private volatile @Nullable StreamTube tube;

  StreamTubeChannel(
      Manager manager,
      Connection connection,
      Identity identity,
      String service,
      @Nullable Target target,
      Map<?, ?> parameters,
      @Nullable StreamTube tube) {
    super(manager, connection, identity, "StreamTube", target, parameters);
    this.service = service;
    this.tube = tube;
  }

  @Override
  String service() {
    return service;
  }

  @Override
  void addTo(BusObject object) {
    addTubeTo(object);
    object.method(STREAM_TUBE, "Offer", "uvua{sv}", "", this::offer);
    object.method(STREAM_TUBE, "Accept", "uuv", "v", this::accept);
    object.signal(STREAM_TUBE, "NewRemoteConnection", "uvu");
    object.signal(STREAM_TUBE, "NewLocalConnection", "u");
    object.signal(STREAM_TUBE, "ConnectionClosed", "uss");
    typeProperties()
        .forEach(
            (name, value) -> object.constant(STREAM_TUBE, name, value.getSig(), value.getValue()));
  }

  @Override
  Map<String, Variant<?>> typeProperties() {
    List<SocketKind> kinds = manager().streamTubes();
    Map<String, Variant<?>> properties = new LinkedHashMap<>();
    properties.put("Service", Values.variant(service, "s"));
    properties.put("SupportedSocketTypes", Values.variant(Profile.abilities(kinds), "a{uau}"));
    return properties;
  }

  /** Offer (u type, v address, u access, a{sv} parameters). */
  private void offer(Call call) throws Fault {
    SocketKind kind = Kinds.of(call.number(0), call.number(2), manager().streamTubes());
    Service offered = Service.of(kind, call.arguments().get(1));
    List<Connection> audience = beginOffer((Map<?, ?>) call.arguments().get(3));
    StreamTube made = new StreamTube(manager(), offered, this);
    tube = made;
    manager().misbehaviour().reply(call, "");
    for (Connection member : audience) {
      StreamTubeChannel other =
          new StreamTubeChannel(manager(), member, seenBy(), service, null, parameters(), made);
      other.export();
      other.opened();
    }
  }

  /** Accept (u type, u access, v parameter). */
  private void accept(Call call) throws Fault {
    beginAccept();
    StreamTube offered = tube;
    if (offered == null) {
      throw Fault.notAvailable("the tube is gone");
    }
    SocketKind kind = Kinds.of(call.number(0), call.number(1), manager().streamTubes());
    Variant<?> address = offered.accept(this, kind, parameter(kind, call.arguments().get(2)));
    manager().misbehaviour().answer(call, address);
  }

  /** telepathy-glib gives the port alone where the specification wants {@code (sq)}. */
  static Object parameter(SocketKind kind, Object given) {
    if (kind.access() == AccessControl.PORT && Values.unwrap(given) instanceof Number port) {
      String host = kind.type() == AddressType.IPV4 ? "127.0.0.1" : "::1";
      return Values.struct(host, Values.q(port.intValue()));
    }
    return given;
  }

  @Override
  public long contact() {
    return connection().handle();
  }

  @Override
  public String channelPath() {
    return path();
  }

  @Override
  public void newRemoteConnection(long contact, Variant<?> parameter, long id) {
    emit(STREAM_TUBE, "NewRemoteConnection", "uvu", Values.u(contact), parameter, Values.u(id));
  }

  @Override
  public void newLocalConnection(long id) {
    emit(STREAM_TUBE, "NewLocalConnection", "u", Values.u(id));
  }

  @Override
  public void connectionClosed(long id, String errorName, String text) {
    emit(STREAM_TUBE, "ConnectionClosed", "uss", Values.u(id), errorName, text);
  }

  @Override
  void ending() {
    StreamTube offered = tube;
    if (offered != null) {
      offered.close(this);
    }
  }
}
