package org.tpforward.agent.forward;

import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;
import org.tpforward.agent.link.Link;
import org.tpforward.telepathy.AccessControl;
import org.tpforward.telepathy.AddressType;
import org.tpforward.telepathy.SocketAbilities;
import org.tpforward.telepathy.SocketKind;

/** Which kind of socket the agent asks a CM for, whatever the client asked the agent for. */
public final class RemoteLeg {
  private RemoteLeg() {}

  /**
   * The best kind to connect to that the CM can make and the server can reach.
   *
   * <p>Credentials are never reachable by stock sshd: it sends the byte with a plain write, to
   * which the kernel attaches nobody. Port is not either: sshd does not bind a source port.
   */
  public static Optional<SocketKind> choose(SocketAbilities cm, Link.Abilities server) {
    return preferred(server).stream().filter(cm.kinds()::contains).findFirst();
  }

  /**
   * What a CM can connect to in the place of a client's own socket, the best first.
   *
   * <p>A Unix socket in a private directory first, under the access control that the client asked
   * for where the CM has it: under Credentials the byte comes through. On TCP anybody on the server
   * could connect, so the CM must say from which port it does; without that only what the client
   * itself would have served to anybody is offered.
   *
   * @param signals whether the CM's signal for a connection names its port
   */
  public static List<SocketKind> offers(
      SocketAbilities cm, Link.Abilities server, SocketKind local, boolean signals) {
    List<SocketKind> wanted = new ArrayList<>();
    if (server.unix()) {
      SocketKind credentials = new SocketKind(AddressType.UNIX, AccessControl.CREDENTIALS);
      SocketKind localhost = new SocketKind(AddressType.UNIX, AccessControl.LOCALHOST);
      wanted.addAll(
          local.access() == AccessControl.CREDENTIALS
              ? List.of(credentials, localhost)
              : List.of(localhost, credentials));
    }
    if (server.tcp()) {
      for (AddressType type : List.of(AddressType.IPV4, AddressType.IPV6)) {
        if (signals) {
          wanted.add(new SocketKind(type, AccessControl.PORT));
        }
      }
      for (AddressType type : List.of(AddressType.IPV4, AddressType.IPV6)) {
        if (local.access() == AccessControl.LOCALHOST) {
          wanted.add(new SocketKind(type, AccessControl.LOCALHOST));
        }
      }
    }
    return wanted.stream().filter(cm.kinds()::contains).toList();
  }

  private static List<SocketKind> preferred(Link.Abilities server) {
    Stream<SocketKind> unix =
        server.unix() ? unixKinds(AddressType.UNIX, server.credentials()) : Stream.of();
    Stream<SocketKind> names =
        server.unix() && server.abstractNames()
            ? unixKinds(AddressType.ABSTRACT_UNIX, server.credentials())
            : Stream.of();
    Stream<SocketKind> tcp =
        server.tcp()
            ? Stream.of(
                new SocketKind(AddressType.IPV4, AccessControl.LOCALHOST),
                new SocketKind(AddressType.IPV6, AccessControl.LOCALHOST))
            : Stream.of();
    return Stream.of(unix, names, tcp).flatMap(s -> s).toList();
  }

  private static Stream<SocketKind> unixKinds(AddressType type, boolean credentials) {
    SocketKind localhost = new SocketKind(type, AccessControl.LOCALHOST);
    return credentials
        ? Stream.of(new SocketKind(type, AccessControl.CREDENTIALS), localhost)
        : Stream.of(localhost);
  }
}
