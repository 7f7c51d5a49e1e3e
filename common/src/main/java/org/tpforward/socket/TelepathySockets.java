package org.tpforward.socket;

import java.io.EOFException;
import java.io.IOException;
import java.net.SocketException;
import java.net.SocketTimeoutException;
import java.nio.ByteBuffer;
import java.time.Duration;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.tpforward.relay.Duplex;

/**
 * Sockets under Telepathy's access controls (specification 0.27.4, Socket_Access_Control), for any
 * client or service in Java: what a client connects to after AcceptFile, ProvideFile or Accept, and
 * what a service listens on before Offer.
 *
 * <p>A client, with the address that a connection manager gave it:
 *
 * {@snippet :
 * // Under Localhost it is TelepathySockets.connect(where).
 * Endpoint where = new Endpoint.UnixPath(path);
 * try (Connection connection = TelepathySockets.connectWithByte(where, 42)) {
 *   connection.write(ByteBuffer.wrap(request));
 *   connection.shutdownOutput();
 *   ByteBuffer answer = ByteBuffer.allocate(8192);
 *   while (connection.read(answer.clear()) >= 0) {
 *     out.write(answer.array(), 0, answer.position());
 *   }
 * }
 * }
 *
 * <p>A service for a tube:
 *
 * {@snippet :
 * try (Listener listener = TelepathySockets.listenForBytes(new Endpoint.UnixPath(path))) {
 *   offer(listener.endpoint());
 *   TelepathySockets.Accepted accepted =
 *       TelepathySockets.acceptWithByte(
 *           listener.accept(), AllowedUids.own(), Duration.ofSeconds(30));
 *   // accepted.value() is the parameter of this connection's NewRemoteConnection.
 *   serve(accepted.connection(), accepted.value());
 * }
 * }
 *
 * <p>Every method blocks. Whoever gets a connection closes it. Connections under Credentials, and
 * over abstract names, are read and written on platform threads (see {@link Connection}).
 */
public final class TelepathySockets {
  /**
   * A connection whose client is who it must be.
   *
   * @param connection at the beginning of the stream; the caller closes it
   * @param value the byte that came before it, 0 to 255: the parameter of this connection's
   *     NewRemoteConnection
   * @param sender who sent it
   */
  public record Accepted(Connection connection, int value, PeerCredentials sender) {}

  private static final Logger log = LoggerFactory.getLogger(TelepathySockets.class);

  private TelepathySockets() {}

  /**
   * Connects under Localhost: nothing is sent.
   *
   * @throws IOException as {@link Connection#connect(Endpoint)}
   */
  public static Connection connect(Endpoint where) throws IOException {
    return Connection.connect(where);
  }

  /**
   * The same, within a time of the caller's choice: a service whose backlog is full keeps who
   * connects waiting.
   *
   * @throws IOException as {@link Connection#connect(Endpoint, Duration)}
   */
  public static Connection connect(Endpoint where, Duration timeout) throws IOException {
    return Connection.connect(where, timeout);
  }

  /**
   * Connects under Port: from the local address that was named to the CM.
   *
   * @throws IOException as {@link Connection#connect(Endpoint.Ip, Endpoint.Ip)}
   */
  public static Connection connectFrom(Endpoint.Ip where, Endpoint.Ip from) throws IOException {
    return Connection.connect(where, from);
  }

  /**
   * Connects under Credentials: sends the byte with this process's real credentials.
   *
   * @param where a Unix socket
   * @param value 0 to 255; for a tube it names the connection in NewLocalConnection
   * @throws IOException as {@link Connection#connectForCredentials}, or if the peer hangs up
   */
  public static Connection connectWithByte(Endpoint where, int value) throws IOException {
    return withByte(Connection.connectForCredentials(where), value);
  }

  /**
   * The same, within a time of the caller's choice.
   *
   * @throws IOException as {@link Connection#connectForCredentials(Endpoint, Duration)}
   */
  public static Connection connectWithByte(Endpoint where, int value, Duration timeout)
      throws IOException {
    return withByte(Connection.connectForCredentials(where, timeout), value);
  }

  private static Connection withByte(Connection connection, int value) throws IOException {
    try {
      CredentialByte.send(connection, value);
      return connection;
    } catch (IOException | RuntimeException e) {
      connection.close();
      throw e;
    }
  }

  /** Listens on a Unix socket of which {@link #acceptWithByte} can tell who sends the byte. */
  public static Listener listenForBytes(Endpoint where) throws IOException {
    return Listener.openForCredentials(where);
  }

  /**
   * Under Localhost: waits for a connection of an allowed user. Others are disconnected, and waited
   * past.
   *
   * @throws java.nio.channels.ClosedChannelException when the listener is closed
   */
  public static Connection accept(Listener listener, AllowedUids allowed) throws IOException {
    while (true) {
      Connection connection = listener.accept();
      try {
        if (allowed.allows(PeerCredentials.of(connection))) {
          return connection;
        }
      } catch (IOException e) {
        log.warn("{}: who connects cannot be told: {}", listener, e.getMessage());
      }
      connection.reset();
    }
  }

  /**
   * Under Credentials: reads the byte of a connection that was accepted, and checks its sender. One
   * who is not allowed, or sends none, is disconnected. A service with several clients does this on
   * a thread for each, since every one may take its time.
   *
   * @param connection from a listener of {@link #listenForBytes}; closed if this throws
   * @param timeout for the byte
   * @throws IOException if no byte comes in time, or without credentials, or of a user who is not
   *     allowed
   */
  public static Accepted acceptWithByte(
      Connection connection, AllowedUids allowed, Duration timeout) throws IOException {
    try {
      CredentialByte.Received received = CredentialByte.receive(connection, timeout);
      if (!allowed.allows(received.sender())) {
        throw new SocketException(received.sender() + " is not allowed");
      }
      return new Accepted(connection, received.value(), received.sender());
    } catch (IOException | RuntimeException e) {
      connection.close();
      throw e;
    }
  }

  /**
   * Reads the byte of Credentials by a plain read, on any stream: enough where {@link
   * PeerCredentials} have told already who it is, or where it comes through a channel.
   *
   * @param timeout for the byte; the connection is closed when it has passed
   * @return the byte, 0 to 255
   * @throws SocketTimeoutException if none came in time
   * @throws EOFException if the client ended instead
   */
  public static int readByte(Duplex connection, Duration timeout) throws IOException {
    ByteBuffer one = ByteBuffer.allocate(1);
    try (Watchdog watchdog = Watchdog.over(connection::close, timeout)) {
      int n;
      try {
        n = connection.read(one);
      } catch (IOException e) {
        throw watchdog.expired() ? late(timeout, e) : e;
      }
      if (watchdog.expired()) {
        throw late(timeout, null);
      }
      if (n < 0) {
        throw new EOFException("it ended without its credential byte");
      }
      return one.get(0) & 0xff;
    }
  }

  private static SocketTimeoutException late(Duration timeout, @Nullable IOException cause) {
    SocketTimeoutException late =
        new SocketTimeoutException("no credential byte within %d ms".formatted(timeout.toMillis()));
    late.initCause(cause);
    return late;
  }
}
