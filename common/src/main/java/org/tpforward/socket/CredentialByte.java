package org.tpforward.socket;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.time.Duration;
import org.newsclub.net.unix.AFUNIXSocketChannel;
import org.newsclub.net.unix.FileDescriptorCast;

/**
 * The byte that Telepathy's access control Credentials puts before a stream (specification, {@code
 * Socket_Access_Control_Credentials}): the connecting side sends it with SCM_CREDENTIALS, so that
 * the kernel vouches for who that is. It is not part of the stream.
 */
public final class CredentialByte {
  /**
   * A byte that came, and its sender as the kernel knows him.
   *
   * @param value 0 to 255
   */
  public record Received(int value, long pid, long uid, long gid) {}

  private CredentialByte() {}

  /**
   * Sends the byte with this process's real credentials.
   *
   * <p>A plain write carries credentials only if one of the two sockets has SO_PASSCRED at that
   * moment, and services turn it on as late as when they read. So it is set on the sender's own.
   *
   * @param connection from {@link TelepathySockets#connect}, before anything else is written
   * @param value 0 to 255
   */
  public static void send(Connection connection, int value) throws IOException {
    Libc.passCredentials(descriptor(connection));
    connection.write(ByteBuffer.wrap(new byte[] {(byte) value}));
  }

  /**
   * Receives the byte, and not a byte more.
   *
   * @param connection one of junixsocket's, as {@link TelepathySockets} accepts them
   * @throws java.net.SocketTimeoutException if it did not come in time
   * @throws IOException if the stream ended, or the byte came without credentials
   */
  public static Received receive(Connection connection, Duration timeout) throws IOException {
    int descriptor = descriptor(connection);
    Libc.passCredentials(descriptor);
    Libc.Received received = Libc.receive(descriptor, 1, timeout);
    if (received == null) {
      throw new IOException("the client ended without its credential byte");
    }
    Libc.Credentials credentials = received.credentials();
    if (credentials == null || credentials.pid() == 0) {
      throw new IOException("the credential byte came without credentials");
    }
    return new Received(received.value(), credentials.pid(), credentials.uid(), credentials.gid());
  }

  private static int descriptor(Connection connection) throws IOException {
    if (!(connection.channel() instanceof AFUNIXSocketChannel unix)) {
      throw new IllegalArgumentException("only a connection made for credentials has them");
    }
    return FileDescriptorCast.using(unix.getFileDescriptor()).as(Integer.class);
  }
}
