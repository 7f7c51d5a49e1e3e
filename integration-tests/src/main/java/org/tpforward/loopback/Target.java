package org.tpforward.loopback;

import java.util.List;
import java.util.Map;

/**
 * Whom a tube is with: a contact, or a room, in which every account that is connected is a member.
 *
 * @param type {@link Handles#CONTACT} or {@link Handles#ROOM}
 */
record Target(int type, long handle, String name) {
  /** Reads TargetHandleType and TargetHandle or TargetID of a request. */
  static Target of(Manager manager, Connection self, Map<String, Object> request) throws Fault {
    if (!(request.get(Names.CHANNEL + ".TargetHandleType") instanceof Number number)
        || (number.intValue() != Handles.CONTACT && number.intValue() != Handles.ROOM)) {
      throw Fault.notImplemented("TargetHandleType must be Contact or Room");
    }
    int type = number.intValue();
    Object handle = request.get(Names.CHANNEL + ".TargetHandle");
    Object id = request.get(Names.CHANNEL + ".TargetID");
    if ((handle == null) == (id == null)) {
      throw Fault.invalidArgument("one of TargetHandle and TargetID is needed");
    }
    String name =
        handle instanceof Number n
            ? manager.handles().name(type, n.longValue())
            : String.valueOf(id);
    Target target = new Target(type, manager.handles().ensure(type, name), name);
    if (type == Handles.CONTACT) {
      if (name.equals(self.account())) {
        throw Fault.notAvailable("there is no channel to oneself");
      }
      if (target.audience(manager, self).isEmpty()) {
        throw Fault.of("Offline", name + " is not connected");
      }
    }
    return target;
  }

  /** The connections that it reaches from one. */
  List<Connection> audience(Manager manager, Connection self) {
    if (type == Handles.ROOM) {
      return List.copyOf(self.peers().values());
    }
    Connection peer = manager.connected(name);
    return peer == null ? List.of() : List.of(peer);
  }
}
