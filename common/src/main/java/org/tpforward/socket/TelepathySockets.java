package org.tpforward.socket;

import java.io.IOException;
import java.time.Duration;
import org.newsclub.net.unix.AFUNIXServerSocketChannel;
import org.newsclub.net.unix.AFUNIXSocketAddress;

/**
 * Sockets under Telepathy's access controls, for any client in Java: what a client connects to
 * after AcceptFile, ProvideFile or Accept, and what a service listens on before Offer.
 *
 * <p>With a CM's reply to an accept under Credentials:
 *
 * <pre>{@code
 * Connection connection = TelepathySockets.connectWithByte(new Endpoint.UnixPath(path), 42);
 * connection.write(ByteBuffer.wrap(data));
 * }</pre>
 *
 * <p>And a service for a tube under Credentials:
 *
 * <pre>{@code
 * try (AFUNIXServerSocketChannel server = TelepathySockets.listen(new Endpoint.UnixPath(path))) {
 *   TelepathySockets.Accepted accepted =
 *       TelepathySockets.acceptWithByte(server, AllowedUids.own(), Duration.ofSeconds(30));
 *   // accepted.value() is the parameter of this connection's NewRemoteConnection.
 * }
 * }</pre>
 */
public final class TelepathySockets {
  /**
   * A connection whose client is who it must be.
   *
   * @param connection at the beginning of the stream; the caller closes it
   * @param value the byte that it sent, 0 to 255
   */
  public record Accepted(Connection connection, int value) {}

  private TelepathySockets() {}

  /** Connects under Localhost: nothing is sent. The caller closes the connection. */
  public static Connection connect(Endpoint where) throws IOException {
    return Connection.connect(where);
  }

  /**
   * Connects under Port: from the local address that was named to the CM. The caller closes the
   * connection.
   */
  public static Connection connectFrom(Endpoint.Ip where, Endpoint.Ip from) throws IOException {
    return Connection.connect(where, from);
  }

  /**
   * Connects under Credentials: sends the byte with this process's real credentials. The caller
   * closes the connection, and reads and writes it on platform threads.
   *
   * @param where a Unix socket
   * @param value 0 to 255; for a tube it names the connection in NewLocalConnection
   */
  public static Connection connectWithByte(Endpoint where, int value) throws IOException {
    Connection connection;
    try {
      connection = Connection.connectForCredentials(where);
    } catch (IOException e) {
      throw new IOException("cannot connect to " + where + ": " + e.getMessage(), e);
    }
    try {
      CredentialByte.send(connection, value);
      return connection;
    } catch (IOException | RuntimeException e) {
      connection.close();
      throw e;
    }
  }

  /** Listens on a Unix socket of which {@link #acceptWithByte} can tell who sends the byte. */
  public static AFUNIXServerSocketChannel listen(Endpoint where) throws IOException {
    AFUNIXServerSocketChannel channel = AFUNIXServerSocketChannel.open();
    try {
      channel.bind(UnixAddresses.of(where));
      return channel;
    } catch (IOException | RuntimeException e) {
      channel.close();
      throw e;
    }
  }

  /**
   * Waits for a connection and its byte, and closes it if the byte's sender is not allowed.
   *
   * @param timeout for the byte, from the connection on
   * @throws IOException also if the one that came was not allowed; the server goes on listening
   */
  public static Accepted acceptWithByte(
      AFUNIXServerSocketChannel server, AllowedUids allowed, Duration timeout) throws IOException {
    AFUNIXSocketAddress local = server.getLocalAddress();
    Connection connection =
        new Connection(server.accept(), new Endpoint.UnixAbstract(String.valueOf(local)));
    try {
      CredentialByte.Received received = CredentialByte.receive(connection, timeout);
      if (!allowed.allows(new PeerCredentials(received.uid()))) {
        throw new IOException("uid " + received.uid() + " is not allowed");
      }
      return new Accepted(connection, received.value());
    } catch (IOException | RuntimeException e) {
      connection.close();
      throw e;
    }
  }
}
