package org.tpforward.loopback;

import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.channels.SocketChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import org.freedesktop.dbus.types.Variant;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.tpforward.socket.Endpoint;
import org.tpforward.socket.TelepathySockets;
import org.tpforward.telepathy.AccessControl;
import org.tpforward.telepathy.SocketKind;

/**
 * The socket that a client listens on and has offered.
 *
 * @param kind its type, and how the CM says who it is
 */
record Service(SocketKind kind, Endpoint endpoint) {
  private static final Logger LOG = LoggerFactory.getLogger(Service.class);

  /**
   * The CM's connection to it.
   *
   * @param parameter what NewRemoteConnection says: the byte under Credentials, {@code (su)} under
   *     Port
   */
  record Reached(SocketChannel channel, Variant<?> parameter) {}

  /**
   * Reads what Offer brings.
   *
   * @throws Fault InvalidArgument for an address that is not of its type, or names no socket
   */
  static Service of(SocketKind kind, Object address) throws Fault {
    return switch (kind.type()) {
      case UNIX -> {
        String path = new String(unixName(address), StandardCharsets.UTF_8);
        if (path.indexOf('\0') >= 0 || !path.startsWith("/") || !isSocket(Path.of(path))) {
          throw Fault.invalidArgument("no socket is at the path that is offered");
        }
        yield new Service(kind, new Endpoint.UnixPath(path));
      }
      case ABSTRACT_UNIX -> {
        byte[] name = unixName(address);
        if (name[0] != 0 || name.length < 2) {
          throw Fault.invalidArgument("an abstract name begins with a NUL");
        }
        String rest = new String(name, 1, name.length - 1, StandardCharsets.UTF_8);
        yield new Service(kind, new Endpoint.UnixAbstract(rest));
      }
      case IPV4, IPV6 -> {
        InetSocketAddress socket = Admission.address(kind.type(), address);
        yield new Service(kind, new Endpoint.Ip(socket.getAddress(), socket.getPort()));
      }
    };
  }

  private static byte[] unixName(Object address) throws Fault {
    byte[] name = Values.bytes(address);
    if (name == null || name.length == 0 || name.length > 108) {
      throw Fault.invalidArgument("the address of a Unix socket is 1 to 108 bytes, ay");
    }
    return name;
  }

  private static boolean isSocket(Path path) {
    try {
      int mode = (Integer) Files.getAttribute(path, "unix:mode");
      return (mode & 0170000) == 0140000;
    } catch (IOException e) {
      return false;
    }
  }

  /** Its address, as it was offered. */
  Variant<?> address() {
    return switch (endpoint) {
      case Endpoint.UnixPath(String path) ->
          Values.variant(path.getBytes(StandardCharsets.UTF_8), "ay");
      case Endpoint.UnixAbstract(String name) ->
          Values.variant(("\0" + name).getBytes(StandardCharsets.UTF_8), "ay");
      case Endpoint.Ip(InetAddress address, int port) -> Values.address(address, port);
    };
  }

  /**
   * Connects as the access control demands.
   *
   * @param number the connection's id, whose low byte is the byte under Credentials
   */
  Reached connect(long number) throws IOException {
    if (kind.access() == AccessControl.CREDENTIALS) {
      int value = (int) (number & 0xff);
      SocketChannel channel = TelepathySockets.connectWithByte(endpoint, value).channel();
      return new Reached(channel, Values.variant((byte) value, "y"));
    }
    SocketChannel channel = TelepathySockets.connect(endpoint).channel();
    if (kind.access() != AccessControl.PORT) {
      return new Reached(channel, Values.variant("", "s"));
    }
    InetSocketAddress local = (InetSocketAddress) channel.getLocalAddress();
    return new Reached(channel, Values.address(local.getAddress(), local.getPort()));
  }

  /** Removes a socket in the file system, as gabble does when the tube goes. */
  void unlink() {
    if (endpoint instanceof Endpoint.UnixPath(String path)) {
      try {
        Files.deleteIfExists(Path.of(path));
      } catch (IOException e) {
        LOG.debug("removing {}", path, e);
      }
    }
  }
}
