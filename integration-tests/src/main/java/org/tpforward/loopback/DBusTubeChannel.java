package org.tpforward.loopback;

import static org.tpforward.loopback.Names.DBUS_TUBE;

import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.freedesktop.dbus.types.UInt32;
import org.freedesktop.dbus.types.Variant;
import org.jspecify.annotations.Nullable;
import org.tpforward.telepathy.AccessControl;

/** Channel.Type.DBusTube, either end. */
final class DBusTubeChannel extends TubeChannel implements DBusTube.End {
  private final String service;
  private final @Nullable DBusTubeChannel offerer;
  private volatile @Nullable DBusTube tube;
  private volatile @Nullable TubeServer server;

  DBusTubeChannel(
      Manager manager,
      Connection connection,
      Identity identity,
      String service,
      @Nullable Target target,
      Map<?, ?> parameters,
      @Nullable DBusTubeChannel offerer) {
    super(manager, connection, identity, "DBusTube", target, parameters);
    this.service = service;
    this.offerer = offerer;
    this.tube = offerer == null ? null : offerer.tube;
  }

  @Override
  String service() {
    return service;
  }

  @Override
  void addTo(BusObject object) {
    addTubeTo(object);
    object.method(DBUS_TUBE, "Offer", "a{sv}u", "s", this::offer);
    object.method(DBUS_TUBE, "Accept", "u", "s", this::accept);
    object.signal(DBUS_TUBE, "DBusNamesChanged", "a{us}au");
    object.computed(DBUS_TUBE, "DBusNames", "a{us}", this::names);
    typeProperties()
        .forEach(
            (name, value) -> object.constant(DBUS_TUBE, name, value.getSig(), value.getValue()));
  }

  @Override
  Map<String, Variant<?>> typeProperties() {
    List<UInt32> accesses =
        manager().profile().dbusTubes().stream().map(a -> Values.u(a.code())).toList();
    Map<String, Variant<?>> properties = new LinkedHashMap<>();
    properties.put("ServiceName", Values.variant(service, "s"));
    properties.put("SupportedAccessControls", Values.variant(accesses, "au"));
    return properties;
  }

  /** Offer (a{sv} parameters, u access). */
  private void offer(Call call) throws Fault {
    AccessControl access = access(call.number(1));
    List<Connection> audience = beginOffer((Map<?, ?>) call.arguments().get(0));
    DBusTube made = new DBusTube(identity().targetType() == Handles.ROOM);
    tube = made;
    TubeServer listening = serve(made, access);
    manager().misbehaviour().answerText(call, listening.address());
    for (Connection member : audience) {
      DBusTubeChannel other =
          new DBusTubeChannel(manager(), member, seenBy(), service, null, parameters(), this);
      other.export();
      other.opened();
    }
  }

  /** Accept (u access). */
  private void accept(Call call) throws Fault {
    beginAccept();
    DBusTube offered = tube;
    if (offered == null || offerer == null) {
      throw Fault.notAvailable("the tube is gone");
    }
    AccessControl asked = access(call.number(0));
    // gabble takes Credentials whatever is asked for.
    AccessControl access =
        manager().profile() == Profile.GABBLE ? AccessControl.CREDENTIALS : asked;
    TubeServer listening = serve(offered, access);
    setState(TubeState.OPEN);
    manager().misbehaviour().answerText(call, listening.address());
    offerer.setState(TubeState.OPEN);
  }

  private AccessControl access(long code) throws Fault {
    AccessControl access =
        AccessControl.of(code)
            .orElseThrow(() -> Fault.invalidArgument("no access control is " + code));
    if (!manager().profile().dbusTubes().contains(access)) {
      throw Fault.notImplemented(access + " is not among SupportedAccessControls");
    }
    return access;
  }

  private TubeServer serve(DBusTube on, AccessControl access) throws Fault {
    TubeServer listening =
        new TubeServer(
            access,
            manager().profile() == Profile.TCP_ONLY,
            manager().sockets(),
            path(),
            new Door(manager().bus()),
            channel -> on.connected(this, channel));
    server = listening;
    on.join(this);
    return listening;
  }

  private Map<UInt32, String> names() {
    DBusTube now = tube;
    return now == null ? Map.of() : asBus(now.names());
  }

  private static Map<UInt32, String> asBus(Map<Long, String> names) {
    Map<UInt32, String> map = new LinkedHashMap<>();
    names.forEach((handle, name) -> map.put(Values.u(handle), name));
    return map;
  }

  @Override
  public long contact() {
    return connection().handle();
  }

  @Override
  public void namesChanged(Map<Long, String> added, List<Long> removed) {
    emit(
        DBUS_TUBE,
        "DBusNamesChanged",
        "a{us}au",
        asBus(added),
        removed.stream().map(Values::u).toList());
  }

  @Override
  void ending() {
    CmListener.closeQuietly(server);
    DBusTube now = tube;
    if (now != null) {
      now.leave(this);
    }
  }
}
