package org.tpforward.server.channel;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.time.Duration;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.tpforward.relay.Duplex;
import org.tpforward.socket.Connection;
import org.tpforward.socket.CredentialByte;

/**
 * A connection under access control Credentials: the kernel sends this process's credentials with
 * all that is written (SO_PASSCRED on this end), and the first byte is read by the CM before
 * another follows, since some CMs hang up when data comes with it.
 */
final class FirstByteAlone implements Duplex {
  private static final Logger log = LoggerFactory.getLogger(FirstByteAlone.class);

  /** Longer than a busy CM takes; then the rest goes all the same. */
  private static final Duration PATIENCE = Duration.ofSeconds(5);

  private final Connection connection;

  /** Of the writing thread. */
  private boolean sent;

  /**
   * Takes the connection over.
   *
   * @param connection one that {@link Connection#hasDescriptor has its descriptor}
   */
  FirstByteAlone(Connection connection) throws IOException {
    CredentialByte.expect(connection);
    this.connection = connection;
  }

  @Override
  public int write(ByteBuffer src) throws IOException {
    int total = src.remaining();
    if (!sent && src.hasRemaining()) {
      connection.write(src.slice(src.position(), 1));
      src.position(src.position() + 1);
      sent = true;
      if (!CredentialByte.awaitRead(connection, PATIENCE)) {
        log.info("{}: the credential byte is not read in {}", connection, PATIENCE);
      }
    }
    if (src.hasRemaining()) {
      connection.write(src);
    }
    return total;
  }

  @Override
  public boolean suitsVirtualThreads() {
    return connection.suitsVirtualThreads();
  }

  @Override
  public int read(ByteBuffer dst) throws IOException {
    return connection.read(dst);
  }

  @Override
  public void shutdownOutput() throws IOException {
    connection.shutdownOutput();
  }

  @Override
  public boolean isOpen() {
    return connection.isOpen();
  }

  @Override
  public void close() {
    connection.close();
  }

  @Override
  public void reset() {
    connection.reset();
  }

  @Override
  public String toString() {
    return connection.toString();
  }
}
