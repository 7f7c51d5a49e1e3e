package org.tpforward.agent.telepathy;

import java.io.IOException;
import java.net.SocketTimeoutException;
import java.time.Duration;
import java.util.List;
import org.tpforward.dbus.BusConnection;
import org.tpforward.dbus.DBusErrorException;
import org.tpforward.dbus.Value;
import org.tpforward.telepathy.Names;

/**
 * An object of a connection manager.
 *
 * @param bus where it is
 * @param service the name that owns it
 * @param path of the object
 */
record RemoteObject(BusConnection bus, String service, String path) {
  static final String BUS = "org.freedesktop.DBus";

  /** The bus itself. */
  static RemoteObject bus(BusConnection bus) {
    return new RemoteObject(bus, BUS, "/org/freedesktop/DBus");
  }

  RemoteObject at(String otherPath) {
    return new RemoteObject(bus, service, otherPath);
  }

  List<Value> call(String interfaceName, String member, Value... arguments)
      throws TransferException {
    return call(BusConnection.DEFAULT_TIMEOUT, interfaceName, member, arguments);
  }

  List<Value> call(Duration timeout, String interfaceName, String member, Value... arguments)
      throws TransferException {
    try {
      return bus.call(service, path, interfaceName, member, timeout, arguments);
    } catch (DBusErrorException e) {
      throw new TransferException(member + ": " + e.getMessage(), e.errorName(), e);
    } catch (SocketTimeoutException e) {
      throw new TransferException(
          service + " did not answer " + member + " within " + timeout.toSeconds() + " s", "", e);
    } catch (IOException e) {
      throw new TransferException("the bus is lost: " + e.getMessage(), "", e);
    }
  }

  /** The first value of a reply; failing if there is none. */
  Value value(String interfaceName, String member, Value... arguments) throws TransferException {
    return first(member, call(interfaceName, member, arguments));
  }

  Value first(String member, List<Value> reply) throws TransferException {
    if (reply.isEmpty()) {
      throw new TransferException(service + " answers " + member + " with nothing");
    }
    return reply.getFirst();
  }

  Value property(String interfaceName, String name) throws TransferException {
    return value(Names.PROPERTIES, "Get", Value.of(interfaceName), Value.of(name)).unwrap();
  }

  Properties properties(String interfaceName) throws TransferException {
    Value all = value(Names.PROPERTIES, "GetAll", Value.of(interfaceName));
    if (all instanceof Value.Dict dict) {
      return new Properties(dict, "");
    }
    throw new TransferException(service + " answers GetAll with " + all.signature());
  }
}
