package org.tpforward.socket;

import static java.lang.foreign.ValueLayout.ADDRESS;
import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import java.io.EOFException;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemoryLayout.PathElement;
import java.lang.foreign.MemorySegment;
import java.net.SocketTimeoutException;
import java.nio.channels.AsynchronousCloseException;
import java.time.Duration;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import org.jspecify.annotations.Nullable;

/**
 * The byte that comes first under access control Credentials (Telepathy specification 0.27.4,
 * Socket_Access_Control): one byte that is no part of the stream, with SCM_CREDENTIALS (unix(7)),
 * for which the kernel vouches.
 *
 * <p>Both ways need a connection that {@link Connection#hasDescriptor has its descriptor}. They
 * block, and may be called on virtual threads.
 */
public final class CredentialByte {
  private static final int POLL_MILLIS = 1000;
  private static final long MIN_PAUSE_NANOS = 50_000;
  private static final long MAX_PAUSE_NANOS = 5_000_000;
  private static final int CMSG_HEADER_BYTES = 16; // size_t len; int level, type
  private static final int UCRED_BYTES = 12; // pid_t pid; uid_t uid; gid_t gid

  /** Room for the credentials and the most descriptors that one message carries (SCM_MAX_FD). */
  private static final int CONTROL_BYTES =
      align(CMSG_HEADER_BYTES + UCRED_BYTES) + align(CMSG_HEADER_BYTES + 253 * Integer.BYTES);

  private static final long IOV = offset("iov");
  private static final long IOV_LENGTH = offset("iovlen");
  private static final long CONTROL = offset("control");
  private static final long CONTROL_LENGTH = offset("controllen");
  private static final long FLAGS = offset("flags");

  private CredentialByte() {}

  /**
   * What came.
   *
   * @param value 0 to 255
   * @param pid the sender's process; 0 if it cannot be seen from here
   * @param uid the sender's user, 0 to 4294967294
   * @param gid the sender's group
   */
  public record Received(int value, long pid, long uid, long gid) {
    /** The sender, to be asked of {@link AllowedUids}. */
    public PeerCredentials sender() {
      return new PeerCredentials(uid, gid, pid == 0 ? PeerCredentials.UNKNOWN : pid);
    }
  }

  /**
   * What one read of a strict CM brought.
   *
   * @param value the first byte, 0 to 255
   * @param extra how many bytes came with it
   * @param sender who sent them, or null where the kernel vouches for nobody
   */
  public record Arrived(int value, int extra, @Nullable Received sender) {}

  /** A byte came without credentials: its sender was not vouched for by the kernel. */
  public static final class NoCredentialsException extends IOException {
    private static final long serialVersionUID = 1L;

    NoCredentialsException() {
      super("the byte came without credentials (its sender must send SCM_CREDENTIALS with it)");
    }
  }

  /**
   * Sends the byte with this process's own pid, effective uid and effective gid. They arrive
   * whenever the receiver turns SO_PASSCRED on.
   *
   * @param connection one that {@link Connection#hasDescriptor has its descriptor}, before anything
   *     else is written
   * @param value 0 to 255
   * @throws IOException if the peer is gone, or the connection has no descriptor
   */
  public static void send(Connection connection, int value) throws IOException {
    if (value < 0 || value > 255) {
      throw new IllegalArgumentException("not a byte: " + value);
    }
    Libc libc = Libc.get();
    connection.withDescriptor(fd -> {
      try (Arena arena = Arena.ofConfined()) {
        send(libc, fd, arena, (byte) value);
      }
      return true;
    });
  }

  private static void send(Libc libc, int fd, Arena arena, byte value) throws IOException {
    MemorySegment control = arena.allocate(align(CMSG_HEADER_BYTES + UCRED_BYTES), 8);
    control.set(JAVA_LONG, 0, CMSG_HEADER_BYTES + UCRED_BYTES);
    control.set(JAVA_INT, 8, Libc.SOL_SOCKET);
    control.set(JAVA_INT, 12, Libc.SCM_CREDENTIALS);
    control.set(JAVA_INT, 16, (int) ProcessHandle.current().pid());
    control.set(JAVA_INT, 20, libc.effectiveUid());
    control.set(JAVA_INT, 24, libc.effectiveGid());
    MemorySegment payload = arena.allocate(1);
    payload.set(JAVA_BYTE, 0, value);
    MemorySegment message = message(arena, payload, control);
    for (; ; ) {
      Libc.Result sent = libc.send(fd, message, Libc.MSG_NOSIGNAL);
      if (!sent.again()) {
        sent.orThrow("sending the credential byte");
        return;
      }
      if (sent.errno() == Libc.EAGAIN) {
        libc.poll(fd, Libc.POLLOUT, POLL_MILLIS);
      }
    }
  }

  /**
   * Waits until the peer has read all that was sent, the byte that is. Some CMs hang up when data
   * comes in the same read as the byte, so who writes first holds the data back until then.
   *
   * @param connection one on which {@link #send} was called
   * @param patience how long to wait at most
   * @return whether it was read in time
   * @throws IOException if the connection broke or was closed meanwhile
   */
  public static boolean awaitRead(Connection connection, Duration patience) throws IOException {
    Libc libc = Libc.get();
    long end = System.nanoTime() + patience.toNanos();
    // The kernel tells of that by no event.
    for (long pause = MIN_PAUSE_NANOS; ; pause = Math.min(2 * pause, MAX_PAUSE_NANOS)) {
      if (connection.withDescriptor(libc::unread) == 0) {
        return true;
      }
      if (System.nanoTime() > end) {
        return false;
      }
      LockSupport.parkNanos(pause);
    }
  }

  /**
   * Turns SO_PASSCRED on, so that credentials come with whatever the peer sends from now on, even
   * if it sends with a plain write. {@link #receive} does it too, but only once it reads: what was
   * sent before by such a peer has no credentials then.
   */
  public static void expect(Connection connection) throws IOException {
    connection.withDescriptor(fd -> {
      Libc.get().setOption(fd, Libc.SO_PASSCRED, 1);
      return true;
    });
  }

  /**
   * Receives the byte, and nothing of the stream behind it. Descriptors that a peer sends along are
   * closed. Turns SO_PASSCRED on when called, and off at the end.
   *
   * @param timeout how long to wait for the byte; positive
   * @throws NoCredentialsException if the byte came, but without credentials
   * @throws SocketTimeoutException if none came in time
   * @throws EOFException if the peer closed instead
   * @throws IOException if the connection broke or was closed meanwhile, or has no descriptor
   */
  public static Received receive(Connection connection, Duration timeout) throws IOException {
    Libc libc = Libc.get();
    return Platform.call(
        "credentials",
        () ->
            connection.withDescriptor(fd -> {
              libc.setOption(fd, Libc.SO_PASSCRED, 1);
              try (Arena arena = Arena.ofConfined()) {
                Arrived arrived = receive(libc, fd, arena, connection, 1, timeout);
                if (arrived.sender() == null) {
                  throw new NoCredentialsException();
                }
                return arrived.sender();
              } finally {
                libc.setOption(fd, Libc.SO_PASSCRED, 0);
              }
            }));
  }

  /**
   * Receives as some CMs do: SO_PASSCRED is turned on only once there is something to read, so that
   * a sender without it has sent no credentials; and as much is read as is there. For a CM that
   * shall be as strict as those: nobody is refused here, and what came with the byte is lost.
   *
   * @param max how many bytes are read at most, at least 1
   * @param timeout how long to wait for them; positive
   * @throws EOFException if the peer closed instead
   */
  public static Arrived receiveLate(Connection connection, int max, Duration timeout)
      throws IOException {
    Libc libc = Libc.get();
    return Platform.call(
        "credentials",
        () ->
            connection.withDescriptor(fd -> {
              long end = System.nanoTime() + timeout.toNanos();
              while (!libc.poll(fd, Libc.POLLIN, POLL_MILLIS)) {
                if (connection.ended()) {
                  throw new AsynchronousCloseException();
                }
                if (System.nanoTime() > end) {
                  throw new SocketTimeoutException(
                      "no credential byte within %d ms".formatted(timeout.toMillis()));
                }
              }
              libc.setOption(fd, Libc.SO_PASSCRED, 1);
              try (Arena arena = Arena.ofConfined()) {
                return receive(libc, fd, arena, connection, max, timeout);
              } finally {
                libc.setOption(fd, Libc.SO_PASSCRED, 0);
              }
            }));
  }

  private static Arrived receive(
      Libc libc, int fd, Arena arena, Connection connection, int max, Duration timeout)
      throws IOException {
    MemorySegment payload = arena.allocate(max);
    MemorySegment control = arena.allocate(CONTROL_BYTES, 8);
    MemorySegment message = message(arena, payload, control);
    long end = System.nanoTime() + timeout.toNanos();
    for (; ; ) {
      Libc.Result got = libc.receive(fd, message, Libc.MSG_DONTWAIT | Libc.MSG_CMSG_CLOEXEC);
      if (!got.again()) {
        long bytes = got.orThrow("receiving the credential byte");
        // Before anything else: they are this process's to close, whatever the rest says.
        long used = Math.min(message.get(JAVA_LONG, CONTROL_LENGTH), CONTROL_BYTES);
        @Nullable Received received = unpack(libc, payload.get(JAVA_BYTE, 0) & 0xff, control, used);
        if (connection.ended()) {
          throw new AsynchronousCloseException();
        }
        if (bytes == 0) {
          throw new EOFException("the peer closed before it sent the credential byte");
        }
        return new Arrived(payload.get(JAVA_BYTE, 0) & 0xff, (int) bytes - 1, received);
      }
      long left = TimeUnit.NANOSECONDS.toMillis(end - System.nanoTime());
      if (left <= 0) {
        throw new SocketTimeoutException(
            "no credential byte within %d ms".formatted(timeout.toMillis()));
      }
      libc.poll(fd, Libc.POLLIN, (int) Math.min(left + 1, POLL_MILLIS));
      if (connection.ended()) {
        throw new AsynchronousCloseException();
      }
    }
  }

  /**
   * Walks the control messages. (MSG_CTRUNC needs no look: what did not fit the kernel has closed
   * again, and a header says how much of its message is there.)
   */
  private static @Nullable Received unpack(Libc libc, int value, MemorySegment control, long used)
      throws IOException {
    Received received = null;
    long at = 0;
    while (used - at >= CMSG_HEADER_BYTES) {
      long length = control.get(JAVA_LONG, at);
      if (length < CMSG_HEADER_BYTES || length > used - at) {
        break;
      }
      int type =
          control.get(JAVA_INT, at + 8) == Libc.SOL_SOCKET ? control.get(JAVA_INT, at + 12) : 0;
      long data = at + CMSG_HEADER_BYTES;
      if (type == Libc.SCM_CREDENTIALS && length >= CMSG_HEADER_BYTES + UCRED_BYTES) {
        received = credentials(value, control, data);
      } else if (type == Libc.SCM_RIGHTS) {
        for (; data + Integer.BYTES <= at + length; data += Integer.BYTES) {
          libc.closeDescriptor(control.get(JAVA_INT, data));
        }
      }
      at += align((int) length);
    }
    return received;
  }

  /** struct ucred; the kernel fills in pid 0 and the overflow uid when it has nobody to name. */
  private static @Nullable Received credentials(int value, MemorySegment control, long at) {
    int pid = control.get(JAVA_INT, at);
    long uid = Integer.toUnsignedLong(control.get(JAVA_INT, at + 4));
    long gid = Integer.toUnsignedLong(control.get(JAVA_INT, at + 8));
    boolean nobody = pid == 0 && (uid == OverflowUid.VALUE || uid == 0xffff_ffffL);
    return nobody ? null : new Received(value, pid, uid, gid);
  }

  private static MemorySegment message(Arena arena, MemorySegment payload, MemorySegment control) {
    MemorySegment iovec = arena.allocate(Libc.IOVEC);
    iovec.set(ADDRESS, 0, payload);
    iovec.set(JAVA_LONG, ADDRESS.byteSize(), payload.byteSize());
    MemorySegment message = arena.allocate(Libc.MSGHDR);
    message.set(ADDRESS, IOV, iovec);
    message.set(JAVA_LONG, IOV_LENGTH, 1);
    message.set(ADDRESS, CONTROL, control);
    message.set(JAVA_LONG, CONTROL_LENGTH, control.byteSize());
    message.set(JAVA_INT, FLAGS, 0);
    return message;
  }

  private static long offset(String field) {
    return Libc.MSGHDR.byteOffset(PathElement.groupElement(field));
  }

  /** CMSG_ALIGN. */
  private static int align(int bytes) {
    return (bytes + 7) & ~7;
  }
}
