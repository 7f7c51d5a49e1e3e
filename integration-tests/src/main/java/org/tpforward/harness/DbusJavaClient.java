package org.tpforward.harness;

import org.freedesktop.dbus.connections.impl.DBusConnection;
import org.freedesktop.dbus.connections.impl.DBusConnectionBuilder;
import org.freedesktop.dbus.interfaces.DBus;

/**
 * A client that uses dbus-java: {@code DbusJavaClient ADDRESS} asks who owns its own name and
 * prints {@code owner NAME}.
 */
public final class DbusJavaClient {
  private DbusJavaClient() {}

  /** Runs the program. */
  public static void main(String[] arguments) throws Exception {
    try (DBusConnection bus =
        DBusConnectionBuilder.forAddress(arguments[0]).withShared(false).build()) {
      DBus remote =
          bus.getRemoteObject("org.freedesktop.DBus", "/org/freedesktop/DBus", DBus.class);
      System.out.println("owner " + remote.GetNameOwner(bus.getUniqueName()));
    }
  }
}
