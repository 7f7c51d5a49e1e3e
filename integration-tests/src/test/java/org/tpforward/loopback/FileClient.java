package org.tpforward.loopback;

import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.ByteBuffer;
import java.nio.channels.SocketChannel;
import java.util.Random;
import org.jspecify.annotations.Nullable;
import org.tpforward.dbus.DBusErrorException;
import org.tpforward.dbus.Value;
import org.tpforward.socket.Connection;
import org.tpforward.socket.Endpoint;
import org.tpforward.socket.TelepathySockets;
import org.tpforward.telepathy.AccessControl;
import org.tpforward.telepathy.AddressType;
import org.tpforward.telepathy.Addresses;
import org.tpforward.telepathy.SocketKind;
import org.tpforward.telepathy.TelepathyException;

/** What a client does with a file channel: it accepts or provides, and connects by the rules. */
final class FileClient {
  private FileClient() {}

  /** Bytes that are the same for the same seed. */
  static byte[] bytes(int length, long seed) {
    byte[] bytes = new byte[length];
    new Random(seed).nextBytes(bytes);
    return bytes;
  }

  /** An address to come from under Port, and an ignored value elsewhere. */
  static Value parameter(SocketKind kind, Endpoint.@Nullable Ip from) {
    return switch (kind.access()) {
      case PORT -> Addresses.toValue(java.util.Objects.requireNonNull(from));
      case CREDENTIALS -> Value.y(7);
      default -> Value.of("");
    };
  }

  /** A port that nobody has, for a client to come from. */
  static Endpoint.@Nullable Ip freePort(SocketKind kind) throws IOException {
    if (kind.access() != AccessControl.PORT) {
      return null;
    }
    String host = kind.type() == AddressType.IPV4 ? "127.0.0.1" : "::1";
    InetAddress address = InetAddress.ofLiteral(host);
    try (SocketChannel probe = SocketChannel.open()) {
      probe.bind(new InetSocketAddress(address, 0));
      return new Endpoint.Ip(address, ((InetSocketAddress) probe.getLocalAddress()).getPort());
    }
  }

  static Endpoint accept(
      TestClient client, String channel, SocketKind kind, Value parameter, long offset)
      throws IOException, DBusErrorException, TelepathyException {
    Value reply =
        client
            .call(
                channel,
                Names.FILE_TRANSFER,
                "AcceptFile",
                Value.u(kind.type().code()),
                Value.u(kind.access().code()),
                Value.v(parameter),
                Value.t(offset))
            .get(0);
    return Addresses.parse(kind.type(), reply);
  }

  static Endpoint provide(TestClient client, String channel, SocketKind kind, Value parameter)
      throws IOException, DBusErrorException, TelepathyException {
    Value reply =
        client
            .call(
                channel,
                Names.FILE_TRANSFER,
                "ProvideFile",
                Value.u(kind.type().code()),
                Value.u(kind.access().code()),
                Value.v(parameter))
            .get(0);
    return Addresses.parse(kind.type(), reply);
  }

  /** Connects as the kind demands. */
  static Connection connect(SocketKind kind, Endpoint where, Endpoint.@Nullable Ip from)
      throws IOException {
    return switch (kind.access()) {
      case CREDENTIALS -> TelepathySockets.connectWithByte(where, 7);
      case PORT ->
          TelepathySockets.connectFrom((Endpoint.Ip) where, java.util.Objects.requireNonNull(from));
      default -> TelepathySockets.connect(where);
    };
  }

  static void write(Connection connection, byte[] data) throws IOException {
    connection.write(ByteBuffer.wrap(data));
  }

  /** Everything up to the end of the stream. */
  static byte[] readAll(Connection connection) throws IOException {
    java.io.ByteArrayOutputStream all = new java.io.ByteArrayOutputStream();
    ByteBuffer buffer = ByteBuffer.allocate(64 << 10);
    while (connection.read(buffer) >= 0) {
      all.write(buffer.array(), 0, buffer.position());
      buffer.clear();
    }
    return all.toByteArray();
  }

  /** Waits until the other side has ended the connection, in whatever way. */
  static boolean isDisconnected(Connection connection) {
    try {
      return connection.read(ByteBuffer.allocate(1)) < 0;
    } catch (IOException e) {
      return true;
    }
  }
}
