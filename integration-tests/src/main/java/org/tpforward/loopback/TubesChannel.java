package org.tpforward.loopback;

import static org.tpforward.loopback.Names.TUBES;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.atomic.AtomicLong;
import org.freedesktop.dbus.types.Variant;
import org.tpforward.telepathy.AccessControl;
import org.tpforward.telepathy.SocketKind;

/**
 * Channel.Type.Tubes, the older interface: one channel for a contact or a room, and any number of
 * numbered tubes in it. Its methods run on the bus's thread.
 */
final class TubesChannel extends Channel {
  private static final String LISTED = "uuusa{sv}u";
  private static final AtomicLong LAST_ID = new AtomicLong();

  private final Manager manager;
  private final Target target;
  private final Map<Long, ListedTube> tubes = new LinkedHashMap<>();

  /**
   * A channel.
   *
   * @param target whom tubes are offered to from here
   */
  TubesChannel(Manager manager, Connection connection, Identity identity, Target target) {
    super(manager, connection, identity, "Tubes");
    this.manager = manager;
    this.target = target;
  }

  Target target() {
    return target;
  }

  @Override
  void addTo(BusObject object) {
    object.method(TUBES, "GetAvailableTubeTypes", "", "au", c -> c.reply("au", types()));
    object.method(
        TUBES,
        "GetAvailableStreamTubeTypes",
        "",
        "a{uau}",
        c -> c.reply("a{uau}", Profile.abilities(kinds())));
    object.method(TUBES, "ListTubes", "", "a(" + LISTED + ")", this::list);
    object.method(TUBES, "OfferStreamTube", "sa{sv}uvuv", "u", this::offerStream);
    object.method(TUBES, "OfferDBusTube", "sa{sv}", "u", this::offerDBus);
    object.method(TUBES, "AcceptStreamTube", "uuuv", "v", this::acceptStream);
    object.method(TUBES, "AcceptDBusTube", "u", "s", this::acceptDBus);
    object.method(TUBES, "GetStreamTubeSocketAddress", "u", "uv", this::streamAddress);
    object.method(TUBES, "GetDBusTubeAddress", "u", "s", this::dbusAddress);
    object.method(TUBES, "GetDBusNames", "u", "a(us)", this::dbusNames);
    object.method(TUBES, "CloseTube", "u", "", this::closeTube);
    object.signal(TUBES, "NewTube", LISTED);
    object.signal(TUBES, "TubeStateChanged", "uu");
    object.signal(TUBES, "TubeClosed", "u");
    object.signal(TUBES, "DBusNamesChanged", "ua(us)au");
    object.signal(TUBES, "StreamTubeNewConnection", "uu");
  }

  @Override
  Map<String, Variant<?>> typeProperties() {
    return Map.of();
  }

  private static List<Object> types() {
    return List.of(Values.u(ListedTube.DBUS), Values.u(ListedTube.STREAM));
  }

  private List<SocketKind> kinds() {
    return manager.profile().streamTubes();
  }

  private synchronized void list(Call call) {
    List<Object[]> list = new ArrayList<>();
    for (ListedTube tube : tubes.values()) {
      list.add(tube.fields());
    }
    call.reply("a(" + LISTED + ")", list);
  }

  private void add(ListedTube tube) {
    synchronized (this) {
      tubes.put(tube.facts().id(), tube);
    }
    emit(TUBES, "NewTube", LISTED, tube.fields());
  }

  private ListedTube.Facts facts(int type, Call call) {
    return new ListedTube.Facts(
        LAST_ID.incrementAndGet(),
        connection().handle(),
        type,
        call.string(0),
        (Map<?, ?>) call.arguments().get(1));
  }

  /** The same channel at the others' ends; one that is missing is opened. */
  private List<TubesChannel> others() throws Fault {
    List<TubesChannel> others = new ArrayList<>();
    for (Connection member : target.audience(manager, connection())) {
      Target back =
          target.type() == Handles.ROOM
              ? target
              : new Target(Handles.CONTACT, connection().handle(), connection().account());
      Channel existing = member.requests().tubes(back);
      if (existing instanceof TubesChannel there) {
        others.add(there);
      } else {
        Identity seen = Identity.incoming(TUBES, connection(), target);
        TubesChannel opened = new TubesChannel(manager, member, seen, back);
        opened.export();
        opened.opened();
        others.add(opened);
      }
    }
    if (others.isEmpty() && target.type() == Handles.CONTACT) {
      throw Fault.of("Offline", target.name() + " is not connected");
    }
    return others;
  }

  /** OfferStreamTube (s service, a{sv}, u type, v address, u access, v parameter) → u. */
  private void offerStream(Call call) throws Fault {
    SocketKind kind = Kinds.of(call.number(2), call.number(4), kinds());
    Service service = Service.of(kind, call.arguments().get(3));
    List<TubesChannel> others = others();
    ListedTube.Stream tube =
        new ListedTube.Stream(this, facts(ListedTube.STREAM, call), manager, service);
    manager.misbehaviour().reply(call, "u", Values.u(tube.facts().id()));
    add(tube);
    for (TubesChannel other : others) {
      other.add(new ListedTube.Stream(other, tube));
    }
  }

  /** OfferDBusTube (s service, a{sv}) → u. */
  private void offerDBus(Call call) throws Fault {
    List<TubesChannel> others = others();
    ListedTube.OnDBus tube =
        new ListedTube.OnDBus(this, facts(ListedTube.DBUS, call), target.type() == Handles.ROOM);
    tube.serve(server(tube));
    call.reply("u", Values.u(tube.facts().id()));
    add(tube);
    for (TubesChannel other : others) {
      other.add(new ListedTube.OnDBus(other, tube));
    }
  }

  private TubeServer server(ListedTube.OnDBus tube) throws Fault {
    boolean tcp = manager.profile() == Profile.TCP_ONLY;
    return new TubeServer(
        tcp ? AccessControl.LOCALHOST : AccessControl.CREDENTIALS,
        tcp,
        manager.sockets(),
        path(),
        new Door(manager.bus()),
        channel -> tube.tube().connected(tube, channel));
  }

  private synchronized <T extends ListedTube> T tube(Call call, Class<T> type) throws Fault {
    ListedTube tube = tubes.get(call.number(0));
    if (!type.isInstance(tube)) {
      throw Fault.invalidArgument("no such tube: " + call.number(0));
    }
    return type.cast(tube);
  }

  private static void checkPending(ListedTube tube) throws Fault {
    if (tube.state() != TubeState.LOCAL_PENDING) {
      throw Fault.notAvailable("this tube cannot be accepted");
    }
  }

  /** AcceptStreamTube (u id, u type, u access, v parameter) → v. */
  private void acceptStream(Call call) throws Fault {
    manager.misbehaviour().beforeAccept();
    ListedTube.Stream tube = tube(call, ListedTube.Stream.class);
    checkPending(tube);
    SocketKind kind = Kinds.of(call.number(1), call.number(2), kinds());
    Object parameter = StreamTubeChannel.parameter(kind, call.arguments().get(3));
    manager.misbehaviour().answer(call, tube.tube().accept(tube, kind, parameter));
  }

  private void acceptDBus(Call call) throws Fault {
    manager.misbehaviour().beforeAccept();
    ListedTube.OnDBus tube = tube(call, ListedTube.OnDBus.class);
    checkPending(tube);
    TubeServer server = server(tube);
    tube.serve(server);
    manager.misbehaviour().answerText(call, server.address());
  }

  /** GetStreamTubeSocketAddress (u id) → (u type, v address): what was offered or handed out. */
  private void streamAddress(Call call) throws Fault {
    ListedTube.Stream tube = tube(call, ListedTube.Stream.class);
    Service offered = tube.offered();
    if (offered != null) {
      call.reply("uv", Values.u(offered.kind().type().code()), offered.address());
      return;
    }
    StreamTube.Accepted accepted = tube.tube().accepted(tube);
    if (accepted == null) {
      throw Fault.notAvailable("the tube has not been accepted");
    }
    call.reply("uv", Values.u(accepted.kind().type().code()), accepted.address());
  }

  private void dbusAddress(Call call) throws Fault {
    String address = tube(call, ListedTube.OnDBus.class).address();
    if (address == null) {
      throw Fault.notAvailable("the tube has not been accepted");
    }
    call.reply("s", address);
  }

  private void dbusNames(Call call) throws Fault {
    Map<Long, String> names = tube(call, ListedTube.OnDBus.class).tube().names();
    call.reply("a(us)", ListedTube.OnDBus.names(names));
  }

  private void closeTube(Call call) throws Fault {
    ListedTube tube = tube(call, ListedTube.class);
    synchronized (this) {
      tubes.remove(tube.facts().id());
    }
    tube.close();
    emit(TUBES, "TubeClosed", "u", Values.u(tube.facts().id()));
    call.reply("");
  }

  @Override
  void ending() {
    List<ListedTube> all;
    synchronized (this) {
      all = List.copyOf(tubes.values());
      tubes.clear();
    }
    for (ListedTube tube : all) {
      tube.close();
      emit(TUBES, "TubeClosed", "u", Values.u(tube.facts().id()));
    }
  }
}
