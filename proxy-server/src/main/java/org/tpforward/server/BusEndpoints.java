package org.tpforward.server;

import java.util.Optional;
import org.tpforward.dbus.BusAddress;
import org.tpforward.dbus.ProtocolException;
import org.tpforward.socket.Endpoint;
import org.tpforward.telepathy.Addresses;

/** D-Bus addresses as sockets of this machine. */
public final class BusEndpoints {
  private BusEndpoints() {}

  /**
   * The first address of a list that names a socket of this machine, or an absolute path.
   *
   * @throws ServerException saying what is wrong with it
   */
  public static Endpoint of(String text) throws ServerException {
    if (text.startsWith("/")) {
      return new Endpoint.UnixPath(text);
    }
    try {
      for (BusAddress address : BusAddress.parse(text)) {
        Optional<Endpoint> endpoint = Addresses.ofBus(address);
        if (endpoint.isPresent()) {
          return endpoint.get();
        }
      }
    } catch (ProtocolException e) {
      throw new ServerException(
          "not a D-Bus address, such as unix:path=/run/user/1000/bus: " + text, e);
    }
    throw new ServerException("the bus must be a Unix socket or a port of this machine: " + text);
  }
}
