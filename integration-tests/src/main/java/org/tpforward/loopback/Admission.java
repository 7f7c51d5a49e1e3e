package org.tpforward.loopback;

import java.io.IOException;
import java.net.Inet4Address;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.channels.SocketChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import org.freedesktop.dbus.types.Variant;
import org.tpforward.socket.CredentialByte;
import org.tpforward.socket.Endpoint;
import org.tpforward.telepathy.AddressType;
import org.tpforward.telepathy.SocketKind;

/** Who may connect to a socket of the CM, by the access control that its client chose. */
sealed interface Admission {
  /**
   * Lets a connection in or throws; blocks until the client has sent what it must.
   *
   * @return what the client is known by: its byte ({@code y}) or its address ({@code (su)}), and an
   *     empty string where there is neither
   */
  Variant<?> check(SocketChannel channel) throws IOException;

  /** Reads the parameter that came with the access control. */
  static Admission of(SocketKind kind, Object parameter) throws Fault {
    return switch (kind.access()) {
      case LOCALHOST -> new Anybody();
      case CREDENTIALS -> new SameUser();
      case PORT -> new From(address(kind.type(), parameter));
      case NETMASK -> throw Fault.notImplemented("Netmask is not implemented");
    };
  }

  /** Reads an {@code (sq)} of a type of address. */
  static InetSocketAddress address(AddressType type, Object value) throws Fault {
    if (!(Values.unwrap(value) instanceof Object[] pair)
        || pair.length != 2
        || !(pair[0] instanceof String host)
        || !(pair[1] instanceof Number port)) {
      throw Fault.invalidArgument("an address and a port, (sq), are needed");
    }
    InetAddress address;
    try {
      address = InetAddress.ofLiteral(host);
    } catch (IllegalArgumentException e) {
      throw Fault.invalidArgument("no address: " + host);
    }
    if (address instanceof Inet4Address != (type == AddressType.IPV4) || port.intValue() == 0) {
      throw Fault.invalidArgument("no address of this type: " + host + " " + port);
    }
    return new InetSocketAddress(address, port.intValue());
  }

  /** Localhost: whoever reaches the socket. */
  record Anybody() implements Admission {
    @Override
    public Variant<?> check(SocketChannel channel) {
      return Values.variant("", "s");
    }
  }

  /** Port: who connects from the address and port that the client named. */
  record From(InetSocketAddress address) implements Admission {
    @Override
    public Variant<?> check(SocketChannel channel) throws IOException {
      if (!address.equals(channel.getRemoteAddress())) {
        throw new IOException(
            "it came from " + channel.getRemoteAddress() + " and not from " + address);
      }
      return Values.address(address.getAddress(), address.getPort());
    }
  }

  /** Credentials: who sends a byte, alone, with SCM_CREDENTIALS of the CM's own uid. */
  record SameUser() implements Admission {
    private static final Duration PATIENCE = Duration.ofSeconds(30);
    private static final int READ = 4096;

    @Override
    public Variant<?> check(SocketChannel channel) throws IOException {
      CredentialByte.Arrived arrived =
          CredentialByte.receiveLate(
              org.tpforward.socket.Connection.of(channel, new Endpoint.UnixAbstract("client")),
              READ,
              PATIENCE);
      if (arrived.extra() > 0) {
        throw new IOException("data came in the same read as its byte");
      }
      CredentialByte.Received sender = arrived.sender();
      if (sender == null || sender.uid() != ownUid()) {
        throw new IOException("its byte came with the credentials of " + sender);
      }
      return Values.variant((byte) arrived.value(), "y");
    }

    private static long ownUid() throws IOException {
      return ((Integer) Files.getAttribute(Path.of("/proc/self"), "unix:uid")).longValue();
    }
  }
}
