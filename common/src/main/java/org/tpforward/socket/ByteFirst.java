package org.tpforward.socket;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.time.Duration;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.tpforward.relay.ForwardingDuplex;

/**
 * A connection under access control Credentials: what follows the byte is written once the peer has
 * read the byte. A peer may read it with whatever is there and, finding more, hang up. Reading does
 * not wait: the peer may be the one who speaks first.
 *
 * <p>One thread may write while another one reads. Closing this closes the connection.
 */
public final class ByteFirst extends ForwardingDuplex {
  private static final Logger log = LoggerFactory.getLogger(ByteFirst.class);

  private final Connection connection;
  private final Duration patience;

  /** Of the writing thread, as the next one. */
  private boolean sent;

  private boolean read;

  private ByteFirst(Connection connection, Duration patience, boolean sent) {
    super(connection);
    this.connection = connection;
    this.patience = patience;
    this.sent = sent;
  }

  /**
   * The byte has been {@link CredentialByte#send sent}.
   *
   * @param patience how long it may stay unread before data follow all the same
   */
  public static ByteFirst sent(Connection connection, Duration patience) {
    return new ByteFirst(connection, patience, true);
  }

  /**
   * The byte is the first one that will be written here, and comes from somebody else; the kernel
   * sends this process's credentials with it, and with all that follows (SO_PASSCRED on this end).
   *
   * @param connection one that {@link Connection#hasDescriptor has its descriptor}
   * @param patience how long the byte may stay unread before data follow all the same
   */
  public static ByteFirst toCome(Connection connection, Duration patience) throws IOException {
    CredentialByte.expect(connection);
    return new ByteFirst(connection, patience, false);
  }

  @Override
  public int write(ByteBuffer src) throws IOException {
    if (!src.hasRemaining()) {
      return 0;
    }
    int alone = 0;
    if (!sent) {
      alone = connection.write(src.slice(src.position(), 1));
      src.position(src.position() + alone);
      sent = true;
    }
    if (!src.hasRemaining()) {
      return alone;
    }
    if (!read) {
      if (!CredentialByte.awaitRead(connection, patience)) {
        log.info("{}: the credential byte is not read in {}", connection, patience);
      }
      read = true;
    }
    return alone + connection.write(src);
  }

  @Override
  public int writeNow(byte[] bytes, int offset, int length) {
    return read ? connection.writeNow(bytes, offset, length) : 0;
  }
}
