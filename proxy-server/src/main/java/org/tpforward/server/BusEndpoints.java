package org.tpforward.server;

import java.net.InetAddress;
import java.nio.charset.StandardCharsets;
import org.jspecify.annotations.Nullable;
import org.tpforward.dbus.BusAddress;
import org.tpforward.dbus.ProtocolException;
import org.tpforward.socket.Endpoint;

/** D-Bus addresses as sockets of this machine. */
public final class BusEndpoints {
  private static final int LONGEST = 107;

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
        Endpoint endpoint = of(address);
        if (endpoint != null) {
          return endpoint;
        }
      }
    } catch (ProtocolException e) {
      throw new ServerException(
          "not a D-Bus address, such as unix:path=/run/user/1000/bus: " + text, e);
    }
    throw new ServerException("the bus must be a Unix socket or a port of this machine: " + text);
  }

  private static @Nullable Endpoint of(BusAddress address) {
    String path = address.key("path");
    String name = address.key("abstract");
    if (address.transport().equals("unix") && path != null && fits(path)) {
      return new Endpoint.UnixPath(path);
    }
    if (address.transport().equals("unix") && name != null && fits(name)) {
      return new Endpoint.UnixAbstract(name);
    }
    String port = address.key("port");
    if (address.transport().equals("tcp") && port != null && port.matches("[0-9]{1,5}")) {
      String host = address.key("host");
      try {
        InetAddress ip =
            InetAddress.ofLiteral(host == null || host.equals("localhost") ? "127.0.0.1" : host);
        int number = Integer.parseInt(port);
        return ip.isLoopbackAddress() && number <= 65535 ? new Endpoint.Ip(ip, number) : null;
      } catch (IllegalArgumentException e) {
        return null;
      }
    }
    return null;
  }

  private static boolean fits(String name) {
    return !name.isEmpty() && name.getBytes(StandardCharsets.UTF_8).length <= LONGEST;
  }
}
