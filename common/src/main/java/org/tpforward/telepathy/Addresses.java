package org.tpforward.telepathy;

import com.google.common.net.InetAddresses;
import java.net.Inet4Address;
import java.net.Inet6Address;
import java.net.InetAddress;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import org.tpforward.dbus.BusAddress;
import org.tpforward.dbus.Value;
import org.tpforward.socket.Endpoint;

/**
 * Socket addresses as they cross the bus: {@code ay} for Unix sockets, {@code (sq)} for IP
 * (specification 0.27, {@code Socket_Address_Type}). No host name is ever resolved.
 */
public final class Addresses {
  /** What fits into {@code sockaddr_un.sun_path} with its closing NUL. */
  private static final int MAX_UNIX_BYTES = 107;

  private static final int MAX_PORT = 65535;

  private Addresses() {}

  /** The address type that says how {@code endpoint} is written. */
  public static AddressType typeOf(Endpoint endpoint) {
    return switch (endpoint) {
      case Endpoint.UnixPath path -> AddressType.UNIX;
      case Endpoint.UnixAbstract name -> AddressType.ABSTRACT_UNIX;
      case Endpoint.Ip ip ->
          ip.address() instanceof Inet4Address ? AddressType.IPV4 : AddressType.IPV6;
    };
  }

  /** An address for the bus, without its variant. */
  public static Value toValue(Endpoint endpoint) {
    return switch (endpoint) {
      case Endpoint.UnixPath(String path) -> new Value.Bytes(path.getBytes(StandardCharsets.UTF_8));
      case Endpoint.UnixAbstract(String name) ->
          new Value.Bytes(("\0" + name).getBytes(StandardCharsets.UTF_8));
      case Endpoint.Ip(InetAddress address, int port) ->
          new Value.Struct(List.of(Value.of(InetAddresses.toAddrString(address)), Value.q(port)));
    };
  }

  /**
   * Reads an address of the given type.
   *
   * @param value the address itself, or a variant of it
   * @throws TelepathyException InvalidArgument, with a line that says what is wrong with it
   */
  public static Endpoint parse(AddressType type, Value value) throws TelepathyException {
    Value bare = value instanceof Value.Variant variant ? variant.value() : value;
    return switch (type) {
      case UNIX -> {
        String path = unixName(bare);
        if (path.indexOf('\0') >= 0) {
          throw TelepathyException.invalidArgument("a Unix socket's path holds a NUL");
        }
        if (!path.startsWith("/")) {
          throw TelepathyException.invalidArgument("a Unix socket's path is not absolute");
        }
        yield new Endpoint.UnixPath(path);
      }
      case ABSTRACT_UNIX -> {
        String name = unixName(bare);
        if (name.length() < 2 || name.charAt(0) != '\0' || name.indexOf('\0', 1) >= 0) {
          throw TelepathyException.invalidArgument(
              "an abstract socket's name must be one NUL and a name without any");
        }
        yield new Endpoint.UnixAbstract(name.substring(1));
      }
      case IPV4, IPV6 -> {
        Endpoint.Ip ip = ip(bare);
        if (typeOf(ip) != type) {
          throw TelepathyException.invalidArgument(ip + " is no address of type " + type);
        }
        yield ip;
      }
    };
  }

  /**
   * Reads an IP address and a port, {@code (sq)}: a numeric host and 1 to 65535. What is made with
   * dbus-glib, gabble for one, has no 16-bit type to put into a variant and sends {@code (su)}.
   *
   * @throws TelepathyException InvalidArgument
   */
  public static Endpoint.Ip ip(Value value) throws TelepathyException {
    Value bare = value instanceof Value.Variant variant ? variant.value() : value;
    if (!(bare instanceof Value.Struct struct)
        || struct.fields().size() != 2
        || !(struct.fields().get(0) instanceof Value.Str host)) {
      throw noIpAddress(bare);
    }
    long port =
        switch (struct.fields().get(1)) {
          case Value.Uint16(int number) -> number;
          case Value.Uint32(long number) -> number;
          default -> throw noIpAddress(bare);
        };
    if (!InetAddresses.isInetAddress(host.value())) {
      throw TelepathyException.invalidArgument("an IP address must be numeric");
    }
    InetAddress address = InetAddresses.forString(host.value());
    if (!(address instanceof Inet4Address || address instanceof Inet6Address)) {
      throw TelepathyException.invalidArgument("an IP address must be IPv4 or IPv6");
    }
    if (port < 1 || port > MAX_PORT) {
      throw TelepathyException.invalidArgument("port " + port + " names no socket");
    }
    return new Endpoint.Ip(address, (int) port);
  }

  private static TelepathyException noIpAddress(Value bare) {
    return TelepathyException.invalidArgument(
        "an IP address must be (sq), not " + bare.signature());
  }

  /**
   * The one address that loopback sockets of this type have here.
   *
   * @param type an IP one
   */
  public static InetAddress loopback(AddressType type) {
    return switch (type) {
      case IPV4 -> InetAddresses.forString("127.0.0.1");
      case IPV6 -> InetAddresses.forString("::1");
      case UNIX, ABSTRACT_UNIX -> throw new IllegalArgumentException(type + " has no IP address");
    };
  }

  /**
   * Where a D-Bus server listens (D-Bus specification, "Server Addresses"): {@code unix:path},
   * {@code unix:abstract}, or {@code tcp} on loopback.
   *
   * @return empty for what no {@link Endpoint} names, or what is not on its own machine
   */
  public static Optional<Endpoint> ofBus(BusAddress address) {
    String path = address.key("path");
    String name = address.key("abstract");
    String host = address.key("host");
    String port = address.key("port");
    if (address.transport().equals("unix") && path != null && path.startsWith("/")) {
      return fits(path) ? Optional.of(new Endpoint.UnixPath(path)) : Optional.empty();
    }
    if (address.transport().equals("unix") && name != null) {
      return fits(name) ? Optional.of(new Endpoint.UnixAbstract(name)) : Optional.empty();
    }
    if (address.transport().equals("tcp")
        && port != null
        && port.matches("[1-9][0-9]{0,4}")
        && Integer.parseInt(port) < 65536) {
      String numeric = host == null || host.equals("localhost") ? "127.0.0.1" : host;
      if (InetAddresses.isInetAddress(numeric)) {
        Endpoint.Ip ip = new Endpoint.Ip(InetAddresses.forString(numeric), Integer.parseInt(port));
        return ip.isLoopback() ? Optional.of(ip) : Optional.empty();
      }
    }
    return Optional.empty();
  }

  /** Whether it can be a Unix socket's name at all; BusAddress lets no NUL in. */
  private static boolean fits(String name) {
    int length = name.getBytes(StandardCharsets.UTF_8).length;
    return length > 0 && length <= MAX_UNIX_BYTES;
  }

  private static String unixName(Value bare) throws TelepathyException {
    if (!(bare instanceof Value.Bytes bytes)) {
      throw TelepathyException.invalidArgument(
          "a Unix socket's address must be ay, not " + bare.signature());
    }
    byte[] name = bytes.value();
    // gabble and others count the closing NUL of the C string in.
    if (name.length > 1 && name[name.length - 1] == 0) {
      name = Arrays.copyOf(name, name.length - 1);
    }
    if (name.length == 0 || name.length > MAX_UNIX_BYTES + (name[0] == 0 ? 1 : 0)) {
      throw TelepathyException.invalidArgument(
          "a Unix socket's address must have 1 to "
              + MAX_UNIX_BYTES
              + " bytes, not "
              + name.length);
    }
    try {
      return StandardCharsets.UTF_8.newDecoder().decode(ByteBuffer.wrap(name)).toString();
    } catch (CharacterCodingException e) {
      throw TelepathyException.invalidArgument("a Unix socket's address must be UTF-8");
    }
  }
}
