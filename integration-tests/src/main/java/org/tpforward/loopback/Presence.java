package org.tpforward.loopback;

import static org.tpforward.loopback.Names.SIMPLE_PRESENCE;

import java.util.LinkedHashMap;
import java.util.Map;
import org.freedesktop.dbus.types.UInt32;

/** SimplePresence of one connection: who is connected is available, who is not is offline. */
final class Presence {
  static final String PRESENCES = "a{u(uss)}";
  private static final int OFFLINE = 1;
  private static final int AVAILABLE = 2;

  private final Manager manager;
  private final Connection connection;

  Presence(Manager manager, Connection connection) {
    this.manager = manager;
    this.connection = connection;
  }

  void addTo(BusObject object) {
    object.method(SIMPLE_PRESENCE, "SetPresence", "ss", "", this::setPresence);
    object.method(SIMPLE_PRESENCE, "GetPresences", "au", PRESENCES, this::getPresences);
    object.signal(SIMPLE_PRESENCE, "PresencesChanged", PRESENCES);
    Map<String, Object[]> statuses = new LinkedHashMap<>();
    statuses.put("available", Values.struct(Values.u(AVAILABLE), true, false));
    statuses.put("offline", Values.struct(Values.u(OFFLINE), false, false));
    object.constant(SIMPLE_PRESENCE, "Statuses", "a{s(ubb)}", statuses);
    object.constant(SIMPLE_PRESENCE, "MaximumStatusMessageLength", "u", Values.u(0));
  }

  /** A {@code (uss)}. */
  static Object[] of(boolean connected) {
    return connected
        ? Values.struct(Values.u(AVAILABLE), "available", "")
        : Values.struct(Values.u(OFFLINE), "offline", "");
  }

  private void setPresence(Call call) throws Fault {
    if (!call.string(0).equals("available")) {
      throw Fault.invalidArgument("the only presence that can be set is available");
    }
    call.reply("");
  }

  private void getPresences(Call call) throws Fault {
    connection.checkConnected();
    Map<UInt32, Object[]> presences = new LinkedHashMap<>();
    for (long handle : Values.numbers(call.arguments().get(0))) {
      String id = manager.handles().name(Handles.CONTACT, handle);
      presences.put(Values.u(handle), of(manager.connected(id) != null));
    }
    call.reply(PRESENCES, presences);
  }
}
