package org.tpforward.socket;

import static java.lang.foreign.ValueLayout.ADDRESS;
import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;
import static java.lang.foreign.ValueLayout.JAVA_SHORT;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemoryLayout;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.SymbolLookup;
import java.lang.invoke.MethodHandle;
import java.lang.invoke.VarHandle;
import java.net.SocketTimeoutException;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import org.jspecify.annotations.Nullable;

/**
 * The few functions of the C library that neither the JDK nor junixsocket offers, with the
 * structures of 64-bit Linux (x86_64 and aarch64 share them).
 */
final class Libc {
  // <asm-generic/socket.h>, <linux/socket.h>, <poll.h>
  private static final int SOL_SOCKET = 1;
  private static final int SO_PASSCRED = 16;
  private static final int SCM_RIGHTS = 1;
  private static final int SCM_CREDENTIALS = 2;
  private static final int MSG_CTRUNC = 0x8;
  private static final int MSG_DONTWAIT = 0x40;
  private static final int MSG_CMSG_CLOEXEC = 0x40000000;
  private static final short POLLIN = 1;
  private static final int EINTR = 4;
  private static final int EAGAIN = 11;

  private static final Linker LINKER = Linker.nativeLinker();
  private static final SymbolLookup SYMBOLS = LINKER.defaultLookup();
  private static final MemoryLayout STATE = Linker.Option.captureStateLayout();
  private static final VarHandle ERRNO =
      STATE.varHandle(MemoryLayout.PathElement.groupElement("errno"));

  private static final MethodHandle SETSOCKOPT =
      function("setsockopt", JAVA_INT, JAVA_INT, JAVA_INT, JAVA_INT, ADDRESS, JAVA_INT);
  private static final MethodHandle RECVMSG =
      function("recvmsg", JAVA_LONG, JAVA_INT, ADDRESS, JAVA_INT);
  private static final MethodHandle POLL = function("poll", JAVA_INT, ADDRESS, JAVA_LONG, JAVA_INT);
  private static final MethodHandle CLOSE = function("close", JAVA_INT, JAVA_INT);
  private static final MethodHandle GETPWNAM_R =
      function("getpwnam_r", JAVA_INT, ADDRESS, ADDRESS, ADDRESS, JAVA_LONG, ADDRESS);

  /** What one recvmsg brought: a byte, and who sent it, as far as the kernel attached it. */
  record Received(int value, int extra, @Nullable Credentials credentials) {}

  /** {@code struct ucred}. */
  record Credentials(long pid, long uid, long gid) {}

  private Libc() {}

  private static MethodHandle function(
      String name, MemoryLayout result, MemoryLayout... arguments) {
    return LINKER.downcallHandle(
        SYMBOLS.findOrThrow(name),
        FunctionDescriptor.of(result, arguments),
        Linker.Option.captureCallState("errno"));
  }

  /**
   * Makes the kernel attach credentials to what this socket sends and receives (unix(7),
   * SO_PASSCRED).
   */
  static void passCredentials(int descriptor) throws IOException {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment state = arena.allocate(STATE);
      MemorySegment on = arena.allocateFrom(JAVA_INT, 1);
      if ((int) SETSOCKOPT.invokeExact(state, descriptor, SOL_SOCKET, SO_PASSCRED, on, 4) != 0) {
        throw error("setsockopt(SO_PASSCRED)", state);
      }
    } catch (Throwable t) {
      throw unchecked(t);
    }
  }

  /**
   * Receives at most {@code max} bytes, of which the first is returned, with the credentials that
   * come with them; descriptors that come along are closed.
   *
   * @param max 1 leaves the stream where it begins; more shows whether data came in the same read
   * @return null at the end of the stream
   * @throws SocketTimeoutException if nothing came in time
   */
  static @Nullable Received receive(int descriptor, int max, Duration timeout) throws IOException {
    long end = System.nanoTime() + timeout.toNanos();
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment state = arena.allocate(STATE);
      MemorySegment data = arena.allocate(max);
      MemorySegment vector = arena.allocate(16, 8); // struct iovec
      vector.set(ADDRESS, 0, data);
      vector.set(JAVA_LONG, 8, max);
      MemorySegment control = arena.allocate(256, 8);
      MemorySegment header = arena.allocate(56, 8); // struct msghdr
      while (true) {
        awaitReadable(descriptor, end, arena, state);
        header.fill((byte) 0);
        header.set(ADDRESS, 16, vector);
        header.set(JAVA_LONG, 24, 1);
        header.set(ADDRESS, 32, control);
        header.set(JAVA_LONG, 40, control.byteSize());
        long got =
            (long) RECVMSG.invokeExact(state, descriptor, header, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
        if (got < 0) {
          int errno = (int) ERRNO.get(state, 0L);
          if (errno == EINTR || errno == EAGAIN) {
            continue;
          }
          throw error("recvmsg", state);
        }
        Credentials credentials = credentials(header, control, state);
        if ((header.get(JAVA_INT, 48) & MSG_CTRUNC) != 0) {
          throw new IOException("more came with the credential byte than a client may send");
        }
        return got == 0
            ? null
            : new Received(data.get(JAVA_BYTE, 0) & 0xff, (int) got - 1, credentials);
      }
    } catch (Throwable t) {
      throw unchecked(t);
    }
  }

  /**
   * Waits until something can be read, the end of the stream included.
   *
   * @throws SocketTimeoutException if nothing came in time
   */
  static void awaitReadable(int descriptor, Duration timeout) throws IOException {
    long end = System.nanoTime() + timeout.toNanos();
    try (Arena arena = Arena.ofConfined()) {
      awaitReadable(descriptor, end, arena, arena.allocate(STATE));
    } catch (Throwable t) {
      throw unchecked(t);
    }
  }

  private static void awaitReadable(int descriptor, long end, Arena arena, MemorySegment state)
      throws Throwable {
    MemorySegment wanted = arena.allocate(8, 4); // struct pollfd
    wanted.set(JAVA_INT, 0, descriptor);
    wanted.set(JAVA_SHORT, 4, POLLIN);
    while (true) {
      long millis = Math.max(0, (end - System.nanoTime() + 999_999) / 1_000_000);
      int ready =
          (int) POLL.invokeExact(state, wanted, 1L, (int) Math.min(millis, Integer.MAX_VALUE));
      if (ready > 0) {
        return;
      }
      if (ready == 0) {
        throw new SocketTimeoutException("no credential byte came in time");
      }
      if ((int) ERRNO.get(state, 0L) != EINTR) {
        throw error("poll", state);
      }
    }
  }

  /** Walks the control messages: {@code size_t len; int level; int type;} data, 8-byte aligned. */
  private static @Nullable Credentials credentials(
      MemorySegment header, MemorySegment control, MemorySegment state) throws Throwable {
    Credentials found = null;
    long end = Math.min(header.get(JAVA_LONG, 40), control.byteSize());
    for (long at = 0; at + 16 <= end; ) {
      long length = control.get(JAVA_LONG, at);
      if (length < 16 || length > end - at) {
        break;
      }
      int type = control.get(JAVA_INT, at + 8) == SOL_SOCKET ? control.get(JAVA_INT, at + 12) : 0;
      if (type == SCM_CREDENTIALS && length >= 28) {
        found =
            new Credentials(
                control.get(JAVA_INT, at + 16),
                Integer.toUnsignedLong(control.get(JAVA_INT, at + 20)),
                Integer.toUnsignedLong(control.get(JAVA_INT, at + 24)));
      } else if (type == SCM_RIGHTS) {
        for (long fd = at + 16; fd + 4 <= at + length; fd += 4) {
          int _ = (int) CLOSE.invokeExact(state, control.get(JAVA_INT, fd));
        }
      }
      at += (length + 7) & ~7L;
    }
    return found;
  }

  /** The uid of that user name, by whatever the machine asks for names; -1 if there is none. */
  static long uidOf(String name) {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment state = arena.allocate(STATE);
      MemorySegment entry = arena.allocate(64, 8); // struct passwd: two pointers, then pw_uid
      MemorySegment buffer = arena.allocate(64 << 10);
      MemorySegment result = arena.allocate(ADDRESS);
      int error =
          (int)
              GETPWNAM_R.invokeExact(
                  state,
                  arena.allocateFrom(name, StandardCharsets.UTF_8),
                  entry,
                  buffer,
                  buffer.byteSize(),
                  result);
      boolean found = error == 0 && result.get(ADDRESS, 0).address() != 0;
      return found ? Integer.toUnsignedLong(entry.get(JAVA_INT, 16)) : -1;
    } catch (Throwable t) {
      throw new IllegalStateException("getpwnam_r", t);
    }
  }

  private static IOException error(String call, MemorySegment state) {
    return new IOException(call + " failed with errno " + (int) ERRNO.get(state, 0L));
  }

  private static IOException unchecked(Throwable t) {
    return switch (t) {
      case IOException e -> e;
      case RuntimeException e -> throw e;
      case Error e -> throw e;
      default -> new IOException(t);
    };
  }
}
