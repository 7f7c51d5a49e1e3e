package org.tpforward.agent.forward;

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
