package org.tpforward.agent.telepathy;

import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import org.jspecify.annotations.Nullable;
import org.tpforward.dbus.Value;
import org.tpforward.socket.Connection;
import org.tpforward.socket.CredentialByte;
import org.tpforward.socket.Endpoint;
import org.tpforward.socket.TelepathySockets;
import org.tpforward.telepathy.AccessControl;
import org.tpforward.telepathy.AddressType;
import org.tpforward.telepathy.Addresses;
import org.tpforward.telepathy.Names;
import org.tpforward.telepathy.SocketAbilities;
import org.tpforward.telepathy.SocketKind;
import org.tpforward.telepathy.TelepathyException;

/**
 * The socket that a connection manager hands out for a file or a tube: asks for the best kind that
 * it has, and connects to it.
 *
 * @param kind of the socket
 * @param where the connection manager listens
 * @param from under access control Port, where to connect from
 */
record LocalSocket(SocketKind kind, Endpoint where, Endpoint.@Nullable Ip from) {
  private static final String NOT_IMPLEMENTED = Names.PREFIX + ".Error.NotImplemented";

  private static final Duration BYTE_PATIENCE = Duration.ofSeconds(2);

  /** Calls AcceptFile or ProvideFile, and connects; the caller closes the connection. */
  static Connection open(
      RemoteObject channel, String member, SocketAbilities abilities, Value... further)
      throws TransferException {
    LocalSocket socket = ask(channel, FileState.INTERFACE, member, abilities, further);
    try {
      return socket.connect(0);
    } catch (IOException e) {
      throw new TransferException("the connection manager's socket: " + e.getMessage());
    }
  }

  /**
   * Asks for a socket, by a method whose first arguments are address type, access control and its
   * parameter, and whose reply is an address.
   */
  static LocalSocket ask(
      RemoteObject channel,
      String interfaceName,
      String member,
      SocketAbilities abilities,
      Value... further)
      throws TransferException {
    TransferException refused = null;
    for (SocketKind kind : best(abilities)) {
      try {
        return ask(channel, interfaceName, member, kind, further);
      } catch (TransferException e) {
        if (!isNotImplemented(e)) {
          throw e;
        }
        refused = e;
      }
    }
    throw refused != null ? refused : nothingOffered();
  }

  /** Whether another kind of socket may do. */
  static boolean isNotImplemented(TransferException e) {
    return e.errorName().equals(NOT_IMPLEMENTED);
  }

  static TransferException nothingOffered() {
    return new TransferException(
        "the connection manager offers no kind of socket that can be reached; one on another"
            + " machine that insists on Credentials needs tpforward-server there");
  }

  /** The kinds from the safest on; Port last, as another program may take the port meanwhile. */
  static List<SocketKind> best(SocketAbilities abilities) {
    List<SocketKind> kinds = new ArrayList<>();
    Set<SocketKind> offered = abilities.kinds();
    for (boolean port : new boolean[] {false, true}) {
      for (SocketKind kind : SocketKind.ALL) {
        if (offered.contains(kind) && port == (kind.access() == AccessControl.PORT)) {
          kinds.add(kind);
        }
      }
    }
    return kinds;
  }

  private static LocalSocket ask(
      RemoteObject channel, String interfaceName, String member, SocketKind kind, Value... further)
      throws TransferException {
    Endpoint.@Nullable Ip from = kind.access() == AccessControl.PORT ? freePort(kind.type()) : null;
    Value parameter =
        switch (kind.access()) {
          case PORT -> from == null ? Value.u(0) : Addresses.toValue(from);
          case CREDENTIALS -> Value.y(0);
          default -> Value.u(0);
        };
    List<Value> arguments = new ArrayList<>();
    arguments.add(Value.u(kind.type().code()));
    arguments.add(Value.u(kind.access().code()));
    arguments.add(Value.v(parameter));
    arguments.addAll(List.of(further));
    Value address = channel.value(interfaceName, member, arguments.toArray(new Value[0]));
    try {
      return new LocalSocket(kind, Addresses.parse(kind.type(), address), from);
    } catch (TelepathyException e) {
      throw new TransferException(
          "the connection manager's address is unusable: " + e.getMessage());
    }
  }

  /**
   * Connects; the caller closes the connection.
   *
   * @param number of the connection: its low byte is the one that goes first under Credentials
   */
  Connection connect(int number) throws IOException {
    if (from != null && where instanceof Endpoint.Ip ip) {
      return TelepathySockets.connectFrom(ip, from);
    }
    return kind.access() == AccessControl.CREDENTIALS
        ? withByte(where, number & 0xff)
        : TelepathySockets.connect(where);
  }

  private static Connection withByte(Endpoint where, int value) throws IOException {
    Connection connection = TelepathySockets.connectWithByte(where, value);
    try {
      // A CM may hang up if the stream's first bytes come in the same read; if it has not read by
      // then, it is one that waits for more.
      boolean _ = CredentialByte.awaitRead(connection, BYTE_PATIENCE);
      return connection;
    } catch (IOException e) {
      connection.close();
      throw e;
    }
  }

  private static Endpoint.Ip freePort(AddressType type) throws TransferException {
    InetAddress loopback = Addresses.loopback(type);
    try (ServerSocket socket = new ServerSocket(0, 1, loopback)) {
      return new Endpoint.Ip(loopback, socket.getLocalPort());
    } catch (IOException e) {
      throw new TransferException("no local port is free: " + e.getMessage());
    }
  }
}
