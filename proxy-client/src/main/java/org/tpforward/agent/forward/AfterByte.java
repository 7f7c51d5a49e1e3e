package org.tpforward.agent.forward;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.time.Duration;
import org.tpforward.relay.Duplex;
import org.tpforward.socket.Connection;
import org.tpforward.socket.CredentialByte;

/**
 * A connection on which the byte of Credentials has been sent: what is written goes out once the
 * service has read it. A service may read the byte with whatever is there and, finding more, hang
 * up. Reading does not wait: the service may be the one who speaks first.
 */
final class AfterByte implements Duplex {
  private final Connection connection;
  private final Duration patience;
  private boolean read;

  /**
   * Wraps a connection; closing this closes it.
   *
   * @param patience how long the byte may stay unread before data follow all the same
   */
  AfterByte(Connection connection, Duration patience) {
    this.connection = connection;
    this.patience = patience;
  }

  @Override
  public int read(ByteBuffer dst) throws IOException {
    return connection.read(dst);
  }

  @Override
  public int write(ByteBuffer src) throws IOException {
    if (!read) {
      boolean _ = CredentialByte.awaitRead(connection, patience);
      read = true;
    }
    return connection.write(src);
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
}
