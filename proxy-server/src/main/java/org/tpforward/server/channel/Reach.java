package org.tpforward.server.channel;

import java.io.IOException;
import java.time.Duration;
import org.tpforward.relay.Duplex;
import org.tpforward.server.bus.Grant;
import org.tpforward.server.bus.HandedOut;
import org.tpforward.socket.ByteFirst;
import org.tpforward.socket.Connection;
import org.tpforward.socket.Endpoint;
import org.tpforward.telepathy.AccessControl;

/**
 * Connects to a socket that a CM handed out. Who listens is asked of the kernel about the very
 * socket that is connected, before a byte of it moves.
 *
 * @param grant by which it may go on
 * @param stream to the CM; who has this closes it
 */
record Reach(Grant grant, Duplex stream) {
  /** It is nothing that this user may reach. */
  static final class ForbiddenException extends IOException {
    private static final long serialVersionUID = 1L;

    ForbiddenException(String message) {
      super(message);
    }
  }

  private static final Duration TIMEOUT = Duration.ofSeconds(10);

  /** Longer than a busy CM takes to read the credential byte; then the rest goes all the same. */
  private static final Duration PATIENCE = Duration.ofSeconds(5);

  /**
   * Connects.
   *
   * @throws ForbiddenException if no CM has handed that out, or another process listens there
   * @throws IOException if nobody does
   */
  static Reach to(Endpoint target, HandedOut handedOut) throws IOException {
    if (handedOut.find(target).isEmpty()) {
      throw new ForbiddenException(
          "no connection manager has handed that out, or its channel is closed");
    }
    Connection connection =
        target instanceof Endpoint.Ip
            ? Connection.connect(target, TIMEOUT)
            // Not the JDK's channel: it does not tell the process, nor has it a descriptor.
            : Connection.connectForCredentials(target, TIMEOUT);
    try {
      Grant grant = allowed(target, handedOut, connection);
      return new Reach(
          grant,
          grant.access() == AccessControl.CREDENTIALS && !(target instanceof Endpoint.Ip)
              ? ByteFirst.toCome(connection, PATIENCE)
              : connection);
    } catch (IOException | RuntimeException e) {
      connection.reset();
      throw e;
    }
  }

  private static Grant allowed(Endpoint target, HandedOut handedOut, Connection connection)
      throws ForbiddenException {
    try {
      return handedOut.check(target, connection);
    } catch (IOException e) {
      ForbiddenException forbidden = new ForbiddenException(String.valueOf(e.getMessage()));
      forbidden.initCause(e);
      throw forbidden;
    }
  }
}
