package org.tpforward.loopback;

/** Names of the Telepathy specification 0.27. */
final class Names {
  static final String PREFIX = "org.freedesktop.Telepathy.";
  static final String CM = PREFIX + "ConnectionManager";
  static final String PROTOCOL = PREFIX + "Protocol";
  static final String CONNECTION = PREFIX + "Connection";
  static final String REQUESTS = CONNECTION + ".Interface.Requests";
  static final String CONTACTS = CONNECTION + ".Interface.Contacts";
  static final String CONTACT_CAPABILITIES = CONNECTION + ".Interface.ContactCapabilities";
  static final String CONTACT_LIST = CONNECTION + ".Interface.ContactList";
  static final String SIMPLE_PRESENCE = CONNECTION + ".Interface.SimplePresence";
  static final String CHANNEL = PREFIX + "Channel";
  static final String FILE_TRANSFER = CHANNEL + ".Type.FileTransfer";

  static final String STREAM_TUBE = CHANNEL + ".Type.StreamTube";
  static final String DBUS_TUBE = CHANNEL + ".Type.DBusTube";
  static final String TUBES = CHANNEL + ".Type.Tubes";
  static final String TUBE = CHANNEL + ".Interface.Tube";

  static final String CM_NAME = CM + ".loopback";
  static final String CM_PATH = "/org/freedesktop/Telepathy/ConnectionManager/loopback";
  static final String CONNECTION_NAME = CONNECTION + ".loopback.loopback.";
  static final String CONNECTION_PATH = "/org/freedesktop/Telepathy/Connection/loopback/loopback/";

  private Names() {}
}
