package org.tpforward.loopback;

import static org.tpforward.loopback.Names.CONTACTS;
import static org.tpforward.loopback.Names.CONTACT_CAPABILITIES;
import static org.tpforward.loopback.Names.CONTACT_LIST;

import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.freedesktop.dbus.types.UInt32;
import org.freedesktop.dbus.types.Variant;

/** Contacts, ContactCapabilities and ContactList of one connection. */
final class Contacts {
  /** The attribute interfaces: all that this CM has. */
  private static final List<String> ATTRIBUTES =
      List.of(Names.CONNECTION, CONTACT_LIST, CONTACT_CAPABILITIES, Names.SIMPLE_PRESENCE);

  private static final int SUCCESS = 3;
  private static final int YES = 4;

  private final Manager manager;
  private final Connection connection;

  Contacts(Manager manager, Connection connection) {
    this.manager = manager;
    this.connection = connection;
  }

  void addTo(BusObject object) {
    object.method(CONTACTS, "GetContactAttributes", "auasb", "a{ua{sv}}", this::getAttributes);
    object.method(CONTACTS, "GetContactByID", "sas", "ua{sv}", this::getById);
    object.constant(CONTACTS, "ContactAttributeInterfaces", "as", ATTRIBUTES);

    String caps = "a{ua(a{sv}as)}";
    object.method(CONTACT_CAPABILITIES, "UpdateCapabilities", "a(saa{sv}as)", "", c -> c.reply(""));
    object.method(
        CONTACT_CAPABILITIES, "GetContactCapabilities", "au", caps, this::getCapabilities);
    object.signal(CONTACT_CAPABILITIES, "ContactCapabilitiesChanged", caps);

    object.method(
        CONTACT_LIST, "GetContactListAttributes", "asb", "a{ua{sv}}", this::getListAttributes);
    object.signal(CONTACT_LIST, "ContactsChangedWithID", "a{u(uus)}a{us}a{us}");
    object.signal(CONTACT_LIST, "ContactsChanged", "a{u(uus)}au");
    object.signal(CONTACT_LIST, "ContactListStateChanged", "u");
    object.constant(CONTACT_LIST, "ContactListState", "u", Values.u(SUCCESS));
    object.constant(CONTACT_LIST, "ContactListPersists", "b", false);
    object.constant(CONTACT_LIST, "CanChangeContactList", "b", false);
    object.constant(CONTACT_LIST, "RequestUsesMessage", "b", false);
    object.constant(CONTACT_LIST, "DownloadAtConnection", "b", true);
  }

  /**
   * Tells all others that this account has come or gone, and this one about those that are here.
   */
  void announce() {
    for (Connection peer : connection.peers().values()) {
      peer.contacts().changed(connection);
      if (connection.isConnected()) {
        changed(peer);
      }
    }
  }

  private void changed(Connection who) {
    UInt32 handle = Values.u(who.handle());
    boolean there = who.isConnected();
    Map<UInt32, Object[]> changes = there ? Map.of(handle, subscription()) : Map.of();
    Map<UInt32, String> ids = Map.of(handle, who.account());
    connection.emit(
        CONTACT_LIST,
        "ContactsChangedWithID",
        "a{u(uus)}a{us}a{us}",
        changes,
        there ? ids : Map.of(),
        there ? Map.of() : ids);
    connection.emit(
        CONTACT_LIST,
        "ContactsChanged",
        "a{u(uus)}au",
        changes,
        there ? List.of() : List.of(handle));
    connection.emit(
        Names.SIMPLE_PRESENCE,
        "PresencesChanged",
        Presence.PRESENCES,
        Map.of(handle, Presence.of(there)));
  }

  private static Object[] subscription() {
    return Values.struct(Values.u(YES), Values.u(YES), "");
  }

  private Map<String, Variant<?>> attributes(long handle) throws Fault {
    String id = manager.handles().name(Handles.CONTACT, handle);
    boolean there = manager.connected(id) != null;
    Map<String, Variant<?>> attributes = new LinkedHashMap<>();
    attributes.put(Names.CONNECTION + "/contact-id", Values.variant(id, "s"));
    attributes.put(
        Names.SIMPLE_PRESENCE + "/presence", Values.variant(Presence.of(there), "(uss)"));
    attributes.put(
        CONTACT_CAPABILITIES + "/capabilities", Values.variant(classes(there), Requests.CLASSES));
    if (there && handle != connection.handle()) {
      attributes.put(CONTACT_LIST + "/subscribe", Values.variant(Values.u(YES), "u"));
      attributes.put(CONTACT_LIST + "/publish", Values.variant(Values.u(YES), "u"));
    }
    return attributes;
  }

  private static List<Object[]> classes(boolean there) {
    return there ? Requests.requestableChannelClasses() : List.of();
  }

  private void getAttributes(Call call) throws Fault {
    connection.checkConnected();
    Map<UInt32, Map<String, Variant<?>>> contacts = new LinkedHashMap<>();
    for (long handle : Values.numbers(call.arguments().get(0))) {
      try {
        contacts.put(Values.u(handle), attributes(handle));
      } catch (Fault invalid) {
        // The specification leaves invalid handles out, without an error.
      }
    }
    call.reply("a{ua{sv}}", contacts);
  }

  private void getById(Call call) throws Fault {
    connection.checkConnected();
    long handle = manager.handles().ensure(Handles.CONTACT, call.string(0));
    call.reply("ua{sv}", Values.u(handle), attributes(handle));
  }

  private void getListAttributes(Call call) throws Fault {
    connection.checkConnected();
    Map<UInt32, Map<String, Variant<?>>> contacts = new LinkedHashMap<>();
    for (long handle : connection.peers().keySet()) {
      contacts.put(Values.u(handle), attributes(handle));
    }
    call.reply("a{ua{sv}}", contacts);
  }

  private void getCapabilities(Call call) throws Fault {
    connection.checkConnected();
    Map<UInt32, List<Object[]>> capabilities = new LinkedHashMap<>();
    for (long handle : Values.numbers(call.arguments().get(0))) {
      String id = manager.handles().name(Handles.CONTACT, handle);
      capabilities.put(Values.u(handle), classes(manager.connected(id) != null));
    }
    call.reply("a{ua(a{sv}as)}", capabilities);
  }
}
