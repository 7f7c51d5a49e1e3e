package org.tpforward.loopback;

import static org.tpforward.loopback.Names.CM;
import static org.tpforward.loopback.Names.PROTOCOL;

import java.io.IOException;
import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import org.freedesktop.dbus.exceptions.DBusException;
import org.freedesktop.dbus.types.Variant;
import org.jspecify.annotations.Nullable;
import org.tpforward.telepathy.SocketKind;

/** The ConnectionManager object, and what all connections share. */
final class Manager {
  private static final String PROTOCOL_NAME = "loopback";
  private static final int REQUIRED = 1;

  private final Bus bus;
  private final Profile profile;
  private final SocketDirectory sockets;
  private final Handles handles = new Handles();
  private final Misbehaviour misbehaviour;
  private final Map<String, Connection> connections = new ConcurrentHashMap<>();

  Manager(Bus bus, Profile profile, SocketDirectory sockets) {
    this.bus = bus;
    this.profile = profile;
    this.sockets = sockets;
    this.misbehaviour = new Misbehaviour(bus);
  }

  Misbehaviour misbehaviour() {
    return misbehaviour;
  }

  Bus bus() {
    return bus;
  }

  Profile profile() {
    return profile;
  }

  /** The kinds of socket that stream tubes have now. */
  List<SocketKind> streamTubes() {
    return misbehaviour.tubeKinds(profile.streamTubes());
  }

  SocketDirectory sockets() {
    return sockets;
  }

  Handles handles() {
    return handles;
  }

  void export() {
    BusObject object = new BusObject(Names.CM_PATH);
    object.method(CM, "ListProtocols", "", "as", c -> c.reply("as", List.of(PROTOCOL_NAME)));
    object.method(CM, "GetParameters", "s", "a(susv)", this::getParameters);
    object.method(CM, "RequestConnection", "sa{sv}", "so", this::requestConnection);
    object.signal(CM, "NewConnection", "sos");
    object.constant(CM, "Interfaces", "as", List.of());
    object.constant(
        CM, "Protocols", "a{sa{sv}}", Map.of(PROTOCOL_NAME, qualified(protocolProperties())));
    misbehaviour.addTo(object);
    Door.addTo(object);
    bus.export(object);

    BusObject protocol = new BusObject(Names.CM_PATH + "/" + PROTOCOL_NAME);
    protocolProperties()
        .forEach(
            (name, value) -> protocol.constant(PROTOCOL, name, value.getSig(), value.getValue()));
    protocol.method(
        PROTOCOL,
        "IdentifyAccount",
        "a{sv}",
        "s",
        c -> c.reply("s", account(c.arguments().get(0))));
    protocol.method(PROTOCOL, "NormalizeContact", "s", "s", c -> c.reply("s", c.string(0)));
    bus.export(protocol);
  }

  private static List<Object[]> parameters() {
    Object[] account = Values.struct("account", Values.u(REQUIRED), "s", Values.variant("", "s"));
    return List.<Object[]>of(account);
  }

  private Map<String, Variant<?>> protocolProperties() {
    Map<String, Variant<?>> properties = new LinkedHashMap<>();
    properties.put("Interfaces", Values.variant(List.of(), "as"));
    properties.put("Parameters", Values.variant(parameters(), "a(susv)"));
    properties.put("ConnectionInterfaces", Values.variant(Connection.INTERFACES, "as"));
    properties.put(
        "RequestableChannelClasses",
        Values.variant(Requests.requestableChannelClasses(), Requests.CLASSES));
    properties.put("VCardField", Values.variant("", "s"));
    properties.put("EnglishName", Values.variant("Loopback", "s"));
    properties.put("Icon", Values.variant("", "s"));
    properties.put("AuthenticationTypes", Values.variant(List.of(), "as"));
    return properties;
  }

  private static Map<String, Variant<?>> qualified(Map<String, Variant<?>> properties) {
    Map<String, Variant<?>> qualified = new LinkedHashMap<>();
    properties.forEach((name, value) -> qualified.put(PROTOCOL + "." + name, value));
    return qualified;
  }

  private void getParameters(Call call) throws Fault {
    checkProtocol(call.string(0));
    call.reply("a(susv)", parameters());
  }

  private static void checkProtocol(String name) throws Fault {
    if (!name.equals(PROTOCOL_NAME)) {
      throw Fault.notImplemented("no protocol is called " + name);
    }
  }

  private static String account(Object parameters) throws Fault {
    if (!(Values.map(parameters).get("account") instanceof String account) || account.isEmpty()) {
      throw Fault.invalidArgument("the parameter account is missing");
    }
    return account;
  }

  private void requestConnection(Call call) throws Fault {
    checkProtocol(call.string(0));
    String account = account(call.arguments().get(1));
    for (String name : Values.map(call.arguments().get(1)).keySet()) {
      if (!name.equals("account")) {
        throw Fault.invalidArgument("no parameter is called " + name);
      }
    }
    if (connections.containsKey(account)) {
      throw Fault.notAvailable(account + " has a connection");
    }
    Connection connection = new Connection(this, account, handles.ensure(Handles.CONTACT, account));
    try {
      bus.requestName(connection.busName());
    } catch (IOException | DBusException e) {
      throw Fault.notAvailable(e.toString());
    }
    connections.put(account, connection);
    connection.export();
    call.reply("so", connection.busName(), Values.o(connection.path()));
    bus.emit(
        Names.CM_PATH,
        CM,
        "NewConnection",
        "sos",
        connection.busName(),
        Values.o(connection.path()),
        PROTOCOL_NAME);
  }

  /** All connections, in whatever state. */
  Collection<Connection> connections() {
    return connections.values();
  }

  /** The connection of an account, if it is connected. */
  @Nullable Connection connected(String account) {
    Connection connection = connections.get(account);
    return connection != null && connection.isConnected() ? connection : null;
  }

  /** Forgets a connection that has ended. */
  void remove(Connection connection) {
    connections.remove(connection.account(), connection);
    try {
      bus.releaseName(connection.busName());
    } catch (IOException | DBusException e) {
      // The bus is gone, and the name with it.
    }
  }
}
