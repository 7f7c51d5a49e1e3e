package org.tpforward.agent.bus;

import com.google.common.net.InetAddresses;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.OptionalLong;
import java.util.Set;
import org.jspecify.annotations.Nullable;
import org.tpforward.agent.forward.ChannelKey;
import org.tpforward.agent.forward.RemoteLeg;
import org.tpforward.agent.forward.TransferState;
import org.tpforward.agent.link.Link;
import org.tpforward.dbus.BusAddress;
import org.tpforward.dbus.DBusErrorException;
import org.tpforward.dbus.ProtocolException;
import org.tpforward.dbus.Value;
import org.tpforward.socket.Endpoint;
import org.tpforward.telepathy.AccessControl;
import org.tpforward.telepathy.AddressType;
import org.tpforward.telepathy.Crossing;
import org.tpforward.telepathy.Crossings;
import org.tpforward.telepathy.Names;
import org.tpforward.telepathy.SocketAbilities;
import org.tpforward.telepathy.SocketKind;
import org.tpforward.telepathy.TelepathyException;

/** What the agent asks a CM about a channel before a socket of it crosses. */
final class ChannelFacts {
  private static final String BEYOND_SSHD =
      "; tpforward-server beside the CM reaches Unix sockets under Credentials and abstract ones";

  /** What fits into {@code sockaddr_un.sun_path} with its closing NUL. */
  private static final int MAX_UNIX_BYTES = 107;

  private final RemoteNames names;
  private final Link link;

  ChannelFacts(RemoteNames names, Link link) {
    this.names = names;
    this.link = link;
  }

  /** The channel's properties; C.T.Tubes has none that matter here. */
  Value.Dict properties(ChannelKey channel, String interfaceName)
      throws IOException, DBusErrorException {
    return interfaceName.equals(Names.TUBES)
        ? new Value.Dict("s", "v", List.of())
        : names.properties(channel, interfaceName);
  }

  /**
   * What the CM shall listen on so that the agent can connect.
   *
   * @throws TelepathyException NotImplemented where the server cannot reach what the CM makes
   */
  SocketKind reachable(ChannelKey channel, String interfaceName, Value.Dict properties)
      throws IOException, DBusErrorException, TelepathyException {
    SocketAbilities theirs = abilities(channel, interfaceName, properties);
    return RemoteLeg.choose(theirs, link.abilities())
        .orElseThrow(() ->
            TelepathyException.notImplemented(
                "the SSH server cannot reach any socket that this CM makes ("
                    + theirs.kinds()
                    + ")"
                    + BEYOND_SSHD));
  }

  /**
   * What the CM can connect to in the place of the client's own socket, the best first; never
   * empty.
   *
   * @throws TelepathyException NotImplemented where the CM connects to nothing that the server can
   *     listen on with the care that the client asked for
   */
  List<SocketKind> offerable(
      ChannelKey channel, String interfaceName, Value.Dict properties, SocketKind local)
      throws IOException, DBusErrorException, TelepathyException {
    SocketAbilities theirs = abilities(channel, interfaceName, properties);
    // C.T.Tubes' signal says no port: its connections cannot be vouched for.
    boolean signals = !interfaceName.equals(Names.TUBES);
    List<SocketKind> offers = RemoteLeg.offers(theirs, link.abilities(), local, signals);
    if (offers.isEmpty()) {
      throw TelepathyException.notImplemented(
          "this CM connects to nothing that the SSH server can listen on safely ("
              + theirs.kinds()
              + ")");
    }
    return offers;
  }

  /**
   * Asks the CM for something that every channel has.
   *
   * @throws DBusErrorException if the channel is gone
   */
  void checkThere(ChannelKey channel) throws IOException, DBusErrorException {
    Value.Dict _ = names.properties(channel, Names.CHANNEL);
  }

  /** {@code Size} of a file in bytes. */
  static long size(Value.Dict properties) {
    return bare(properties.get("Size")) instanceof Value.Uint64(long bytes)
        ? bytes // UINT64_MAX says "unknown", and is our -1
        : TransferState.UNKNOWN_SIZE;
  }

  /** {@code InitialOffset} as it is now. */
  OptionalLong initialOffset(ChannelKey channel) throws IOException, DBusErrorException {
    Value.Dict now = names.properties(channel, Names.FILE_TRANSFER);
    return bare(now.get("InitialOffset")) instanceof Value.Uint64(long offset)
        ? OptionalLong.of(offset)
        : OptionalLong.empty();
  }

  /**
   * The access control for a D-Bus tube: the one asked for, or the other where the CM has only
   * that. The agent lets in the same client in both.
   */
  AccessControl busAccess(ChannelKey channel, long asked) throws IOException, DBusErrorException {
    Value supported =
        bare(names.properties(channel, Names.DBUS_TUBE).get("SupportedAccessControls"));
    List<Value> codes = supported instanceof Value.Array array ? array.elements() : List.of();
    AccessControl wanted = AccessControl.of(asked).orElse(AccessControl.CREDENTIALS);
    AccessControl other =
        wanted == AccessControl.LOCALHOST ? AccessControl.CREDENTIALS : AccessControl.LOCALHOST;
    return !codes.contains(Value.u(wanted.code())) && codes.contains(Value.u(other.code()))
        ? other
        : wanted;
  }

  /**
   * Where the CM listens, if it can be connected to.
   *
   * @throws TelepathyException NotAvailable for another machine's address, which would make the
   *     agent a way to any host; NotImplemented for what the server cannot reach
   */
  Endpoint target(Endpoint where) throws TelepathyException {
    if (where instanceof Endpoint.Ip ip && !ip.isLoopback()) {
      throw TelepathyException.notAvailable(
          "the CM names " + ip + ", which is not on its own machine");
    }
    if (where instanceof Endpoint.UnixAbstract && !link.abilities().abstractNames()) {
      throw TelepathyException.notImplemented("the SSH server cannot reach " + where + BEYOND_SSHD);
    }
    return where;
  }

  /**
   * The first of a D-Bus server's addresses that the server can reach (D-Bus specification, "Server
   * Addresses").
   *
   * @throws TelepathyException NotImplemented, with the reason
   */
  Endpoint busTarget(String addresses) throws TelepathyException {
    List<BusAddress> all;
    try {
      all = BusAddress.parse(addresses);
    } catch (ProtocolException e) {
      throw TelepathyException.notAvailable("it is no D-Bus address: " + e.getMessage());
    }
    for (BusAddress address : all) {
      Endpoint endpoint = endpoint(address);
      if (endpoint != null) {
        return endpoint;
      }
    }
    throw TelepathyException.notImplemented(
        "the SSH server can reach unix:path and loopback tcp only" + BEYOND_SSHD);
  }

  private @Nullable Endpoint endpoint(BusAddress address) {
    String path = address.key("path");
    String name = address.key("abstract");
    String host = address.key("host");
    String port = address.key("port");
    if (address.transport().equals("unix") && path != null && path.startsWith("/")) {
      return link.abilities().unix() && fits(path) ? new Endpoint.UnixPath(path) : null;
    }
    if (address.transport().equals("unix") && name != null) {
      return link.abilities().abstractNames() && fits(name)
          ? new Endpoint.UnixAbstract(name)
          : null;
    }
    if (address.transport().equals("tcp")
        && port != null
        && port.matches("[1-9][0-9]{0,4}")
        && Integer.parseInt(port) < 65536
        && link.abilities().tcp()) {
      String numeric = host == null || host.equals("localhost") ? "127.0.0.1" : host;
      if (InetAddresses.isInetAddress(numeric)) {
        Endpoint.Ip ip = new Endpoint.Ip(InetAddresses.forString(numeric), Integer.parseInt(port));
        return ip.isLoopback() ? ip : null;
      }
    }
    return null;
  }

  /** Whether it can be a Unix socket's name at all; BusAddress lets no NUL in. */
  private static boolean fits(String name) {
    int length = name.getBytes(StandardCharsets.UTF_8).length;
    return length > 0 && length <= MAX_UNIX_BYTES;
  }

  /** A local listener as a D-Bus address. */
  static String busAddress(Endpoint local) {
    return switch (local) {
      case Endpoint.UnixPath(String path) ->
          new BusAddress("unix", Map.of("path", Path.of(path).toString())).toString();
      case Endpoint.UnixAbstract(String name) ->
          new BusAddress("unix", Map.of("abstract", name)).toString();
      case Endpoint.Ip ip -> throw new IllegalArgumentException("no Unix socket: " + ip);
    };
  }

  private SocketAbilities abilities(ChannelKey channel, String interfaceName, Value.Dict properties)
      throws IOException, DBusErrorException {
    Value abilities = null;
    if (interfaceName.equals(Names.TUBES)) {
      try {
        abilities = names.ask(channel, Names.TUBES, "GetAvailableStreamTubeTypes");
      } catch (DBusErrorException e) {
        // An old CM: every CM has this one (specification, StreamTube.SupportedSocketTypes).
        return new SocketAbilities(
            Set.of(new SocketKind(AddressType.IPV4, AccessControl.LOCALHOST)));
      }
    } else {
      for (Crossing.AbilityProperty p :
          Crossing.ofKind(Crossing.AbilityProperty.class, Crossings.TABLE)) {
        if (p.interfaceName().equals(interfaceName)) {
          abilities = bare(properties.get(p.member()));
        }
      }
    }
    return abilities instanceof Value.Dict map
        ? SocketAbilities.of(map)
        : new SocketAbilities(Set.of());
  }

  private static @Nullable Value bare(@Nullable Value value) {
    return value instanceof Value.Variant(Value inner) ? inner : value;
  }
}
