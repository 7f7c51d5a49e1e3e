package org.tpforward.loopback;

import static org.tpforward.loopback.Names.CONNECTION;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.freedesktop.dbus.types.UInt32;

/** The Connection object of one account. Its methods run on the bus's thread. */
final class Connection {
  static final List<String> INTERFACES =
      List.of(
          Names.REQUESTS,
          Names.CONTACTS,
          Names.CONTACT_CAPABILITIES,
          Names.CONTACT_LIST,
          Names.SIMPLE_PRESENCE);

  private static final int CONNECTED = 0;
  private static final int CONNECTING = 1;
  private static final int DISCONNECTED = 2;
  private static final int REQUESTED = 1;

  private final Manager manager;
  private final String account;
  private final long handle;
  private final BusObject object;
  private final Requests requests;
  private final Contacts contacts;
  private volatile int status = DISCONNECTED;

  Connection(Manager manager, String account, long handle) {
    this.manager = manager;
    this.account = account;
    this.handle = handle;
    this.object = new BusObject(Names.CONNECTION_PATH + Values.escape(account));
    this.requests = new Requests(manager, this);
    this.contacts = new Contacts(manager, this);
  }

  String account() {
    return account;
  }

  long handle() {
    return handle;
  }

  String path() {
    return object.path();
  }

  String busName() {
    return Names.CONNECTION_NAME + Values.escape(account);
  }

  boolean isConnected() {
    return status == CONNECTED;
  }

  Requests requests() {
    return requests;
  }

  Contacts contacts() {
    return contacts;
  }

  void emit(String iface, String member, String signature, Object... values) {
    manager.bus().emit(path(), iface, member, signature, values);
  }

  /** Fails unless connected. */
  void checkConnected() throws Fault {
    if (!isConnected()) {
      throw Fault.of("Disconnected", account + " is not connected");
    }
  }

  void export() {
    object.method(CONNECTION, "Connect", "", "", this::connect);
    object.method(CONNECTION, "Disconnect", "", "", this::disconnect);
    object.method(CONNECTION, "GetStatus", "", "u", c -> c.reply("u", Values.u(status)));
    object.method(CONNECTION, "GetSelfHandle", "", "u", c -> c.reply("u", Values.u(handle)));
    object.method(CONNECTION, "GetProtocol", "", "s", c -> c.reply("s", "loopback"));
    object.method(CONNECTION, "GetInterfaces", "", "as", c -> c.reply("as", INTERFACES));
    object.method(CONNECTION, "InspectHandles", "uau", "as", this::inspectHandles);
    object.method(CONNECTION, "RequestHandles", "uas", "au", this::requestHandles);
    object.method(CONNECTION, "HoldHandles", "uau", "", this::holdHandles);
    object.method(CONNECTION, "ReleaseHandles", "uau", "", this::holdHandles);
    object.method(CONNECTION, "AddClientInterest", "as", "", c -> c.reply(""));
    object.method(CONNECTION, "RemoveClientInterest", "as", "", c -> c.reply(""));
    object.method(
        CONNECTION,
        "ListChannels",
        "",
        "a(osuu)",
        c -> c.reply("a(osuu)", requests.listChannels()));
    object.signal(CONNECTION, "StatusChanged", "uu");
    object.signal(CONNECTION, "ConnectionError", "sa{sv}");
    object.constant(CONNECTION, "Interfaces", "as", INTERFACES);
    object.constant(CONNECTION, "SelfHandle", "u", Values.u(handle));
    object.constant(CONNECTION, "SelfID", "s", account);
    object.constant(CONNECTION, "HasImmortalHandles", "b", true);
    object.computed(CONNECTION, "Status", "u", () -> Values.u(status));
    requests.addTo(object);
    contacts.addTo(object);
    new Presence(manager, this).addTo(object);
    manager.bus().export(object);
  }

  private void setStatus(int now) {
    status = now;
    emit(CONNECTION, "StatusChanged", "uu", Values.u(now), Values.u(REQUESTED));
  }

  private void connect(Call call) {
    call.reply("");
    if (status == DISCONNECTED) {
      setStatus(CONNECTING);
      setStatus(CONNECTED);
      contacts.announce();
    }
  }

  private void disconnect(Call call) {
    requests.closeAll();
    setStatus(DISCONNECTED);
    call.reply("");
    manager.bus().unexport(object);
    manager.remove(this);
    contacts.announce();
  }

  private void inspectHandles(Call call) throws Fault {
    List<String> names = new ArrayList<>();
    for (long number : Values.numbers(call.arguments().get(1))) {
      names.add(manager.handles().name(call.number(0), number));
    }
    call.reply("as", names);
  }

  private void requestHandles(Call call) throws Fault {
    checkConnected();
    List<UInt32> numbers = new ArrayList<>();
    for (String name : Values.strings(call.arguments().get(1))) {
      numbers.add(Values.u(manager.handles().ensure(call.number(0), name)));
    }
    call.reply("au", numbers);
  }

  private void holdHandles(Call call) throws Fault {
    for (long number : Values.numbers(call.arguments().get(1))) {
      manager.handles().name(call.number(0), number);
    }
    call.reply("");
  }

  /** The accounts that are contacts of this one, by handle: all others that are connected. */
  Map<Long, Connection> peers() {
    Map<Long, Connection> peers = new LinkedHashMap<>();
    for (Connection other : manager.connections()) {
      if (other != this && other.isConnected()) {
        peers.put(other.handle, other);
      }
    }
    return peers;
  }
}
