package org.tpforward.telepathy;

import java.util.List;
import java.util.Locale;

/**
 * What a socket is and who may connect to it. Eight kinds exist: Localhost with every address type,
 * Credentials with the two Unix ones, Port with the two of IP.
 */
public record SocketKind(AddressType type, AccessControl access) {
  /** All kinds that exist, in the order in which a client would rather have them. */
  public static final List<SocketKind> ALL =
      List.of(
          new SocketKind(AddressType.UNIX, AccessControl.CREDENTIALS),
          new SocketKind(AddressType.UNIX, AccessControl.LOCALHOST),
          new SocketKind(AddressType.ABSTRACT_UNIX, AccessControl.CREDENTIALS),
          new SocketKind(AddressType.ABSTRACT_UNIX, AccessControl.LOCALHOST),
          new SocketKind(AddressType.IPV4, AccessControl.PORT),
          new SocketKind(AddressType.IPV4, AccessControl.LOCALHOST),
          new SocketKind(AddressType.IPV6, AccessControl.PORT),
          new SocketKind(AddressType.IPV6, AccessControl.LOCALHOST));

  /**
   * The kind that the two numbers of a call name.
   *
   * @throws TelepathyException InvalidArgument for a number that the specification does not have,
   *     NotImplemented for Netmask and for pairs that do not exist (Port on a Unix socket,
   *     Credentials on TCP)
   */
  public static SocketKind of(long type, long access) throws TelepathyException {
    AddressType addressType =
        AddressType.of(type)
            .orElseThrow(
                () -> TelepathyException.invalidArgument("no socket address type is " + type));
    AccessControl accessControl =
        AccessControl.of(access)
            .orElseThrow(
                () -> TelepathyException.invalidArgument("no socket access control is " + access));
    SocketKind kind = new SocketKind(addressType, accessControl);
    if (!ALL.contains(kind)) {
      throw TelepathyException.notImplemented(
          "access control " + accessControl + " does not exist for sockets of type " + addressType);
    }
    return kind;
  }

  /** As messages for people have it: {@code unix with credentials}. */
  @Override
  public String toString() {
    return "%s with %s".formatted(type, access).toLowerCase(Locale.ROOT).replace('_', ' ');
  }
}
