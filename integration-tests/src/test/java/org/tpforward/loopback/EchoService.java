package org.tpforward.loopback;

import java.io.IOException;
import java.net.InetAddress;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.time.Duration;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import org.tpforward.dbus.Value;
import org.tpforward.socket.AllowedUids;
import org.tpforward.socket.Connection;
import org.tpforward.socket.Endpoint;
import org.tpforward.socket.Listener;
import org.tpforward.socket.TelepathySockets;
import org.tpforward.telepathy.AccessControl;
import org.tpforward.telepathy.Addresses;
import org.tpforward.telepathy.SocketKind;

/**
 * A service to offer: it sends back what it gets, and ends a connection when the client has ended.
 */
final class EchoService implements AutoCloseable {
  private final SocketKind kind;
  private final Listener listener;
  private final BlockingQueue<Value> clients = new LinkedBlockingQueue<>();

  EchoService(SocketKind kind, Path directory) throws IOException {
    this.kind = kind;
    Endpoint where =
        switch (kind.type()) {
          case UNIX -> new Endpoint.UnixPath(directory.resolve("echo").toString());
          case ABSTRACT_UNIX -> new Endpoint.UnixAbstract("echo-" + SocketDirectory.randomName());
          case IPV4 -> new Endpoint.Ip(InetAddress.ofLiteral("127.0.0.1"), 0);
          case IPV6 -> new Endpoint.Ip(InetAddress.ofLiteral("::1"), 0);
        };
    this.listener =
        kind.access() == AccessControl.CREDENTIALS
            ? TelepathySockets.listenForBytes(where)
            : Listener.open(where);
    Thread.ofPlatform().daemon().name("echo").start(this::run);
  }

  Value address() {
    return Addresses.toValue(listener.endpoint());
  }

  /** What NewRemoteConnection must say of the next client: its byte, its address, or nothing. */
  Value nextClient() throws InterruptedException {
    return clients.take();
  }

  private void run() {
    while (listener.isOpen()) {
      try {
        Connection connection;
        if (kind.access() == AccessControl.CREDENTIALS) {
          TelepathySockets.Accepted accepted =
              TelepathySockets.acceptWithByte(
                  listener.accept(), AllowedUids.own(), Duration.ofSeconds(30));
          connection = accepted.connection();
          clients.add(Value.y(accepted.value()));
        } else {
          connection = listener.accept();
          Endpoint.Ip from = connection.remote();
          clients.add(
              kind.access() == AccessControl.PORT && from != null
                  ? Addresses.toValue(from)
                  : Value.of(""));
        }
        Thread.ofPlatform().daemon().name("echo").start(() -> echo(connection));
      } catch (IOException e) {
        // Closed, or somebody who was not let in.
      }
    }
  }

  private static void echo(Connection connection) {
    try (connection) {
      ByteBuffer buffer = ByteBuffer.allocate(16 << 10);
      while (connection.read(buffer) >= 0) {
        buffer.flip();
        connection.write(buffer);
        buffer.clear();
      }
      connection.shutdownOutput();
    } catch (IOException e) {
      // The other side is gone.
    }
  }

  @Override
  public void close() {
    listener.close();
  }
}
