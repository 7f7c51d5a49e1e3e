package org.tpforward.socket;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.time.Duration;
import org.jspecify.annotations.Nullable;
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

  /**
   * What one read brought, as the strictest services read it.
   *
   * @param value 0 to 255
   * @param extra how many bytes came in the same read
   * @param pid 0 if the kernel vouches for nobody
   */
  public record Arrived(int value, int extra, long pid, long uid, long gid) {}

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

  /**
   * Receives as some connection managers do: SO_PASSCRED is turned on only once there is something
   * to read, so that a sender who did not turn it on has sent no credentials; and as much is read
   * as is there. For tests: nobody is refused here, and what came with the byte is lost.
   *
   * @param max how many bytes are read at most
   * @return null at the end of the stream
   * @throws java.net.SocketTimeoutException if nothing came in time
   */
  public static @Nullable Arrived receiveLate(
      AFUNIXSocketChannel channel, int max, Duration timeout) throws IOException {
    int descriptor = descriptor(channel);
    Libc.awaitReadable(descriptor, timeout);
    Libc.passCredentials(descriptor);
    Libc.Received received = Libc.receive(descriptor, max, timeout);
    if (received == null) {
      return null;
    }
    Libc.Credentials credentials = received.credentials();
    return credentials == null
        ? new Arrived(received.value(), received.extra(), 0, PeerCredentials.NOBODY, -1)
        : new Arrived(
            received.value(),
            received.extra(),
            credentials.pid(),
            credentials.uid(),
            credentials.gid());
  }

  private static int descriptor(Connection connection) throws IOException {
    if (!(connection.channel() instanceof AFUNIXSocketChannel unix)) {
      throw new IllegalArgumentException("only a connection made for credentials has them");
    }
    return descriptor(unix);
  }

  private static int descriptor(AFUNIXSocketChannel channel) throws IOException {
    return FileDescriptorCast.using(channel.getFileDescriptor()).as(Integer.class);
  }
}
