package org.tpforward.socket;

import static java.lang.foreign.ValueLayout.ADDRESS;
import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;
import static java.lang.foreign.ValueLayout.JAVA_SHORT;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemoryLayout;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.StructLayout;
import java.lang.invoke.MethodHandle;
import java.lang.invoke.VarHandle;
import java.net.SocketException;
import java.util.Locale;

/**
 * The few calls of the C library that neither the JDK nor junixsocket has, through
 * java.lang.foreign. Numbers and layouts are Linux's for 64-bit little-endian machines; x86_64 and
 * aarch64 agree on all of them.
 */
final class Libc {
  static final int SOL_SOCKET = 1;
  static final int SO_PASSCRED = 16;
  static final int SO_SNDTIMEO = 21;
  static final int SCM_RIGHTS = 1;
  static final int SCM_CREDENTIALS = 2;
  static final int MSG_CTRUNC = 0x8;
  static final int MSG_DONTWAIT = 0x40;
  static final int MSG_NOSIGNAL = 0x4000;
  static final int MSG_CMSG_CLOEXEC = 0x4000_0000;
  static final short POLLIN = 0x1;
  static final short POLLOUT = 0x4;
  static final long SIOCOUTQ = 0x5411;
  static final int EINTR = 4;
  static final int EAGAIN = 11;

  /** struct iovec. */
  static final StructLayout IOVEC =
      MemoryLayout.structLayout(ADDRESS.withName("base"), JAVA_LONG.withName("len"));

  /** struct msghdr, as glibc and musl lay it out on 64-bit little-endian Linux. */
  static final StructLayout MSGHDR =
      MemoryLayout.structLayout(
          ADDRESS.withName("name"),
          JAVA_INT.withName("namelen"),
          MemoryLayout.paddingLayout(4),
          ADDRESS.withName("iov"),
          JAVA_LONG.withName("iovlen"),
          ADDRESS.withName("control"),
          JAVA_LONG.withName("controllen"),
          JAVA_INT.withName("flags"),
          MemoryLayout.paddingLayout(4));

  private static final StructLayout CAPTURED = Linker.Option.captureStateLayout();
  private static final VarHandle ERRNO =
      CAPTURED.varHandle(MemoryLayout.PathElement.groupElement("errno"));

  private final MethodHandle setsockopt;
  private final MethodHandle sendmsg;
  private final MethodHandle recvmsg;
  private final MethodHandle poll;
  private final MethodHandle close;
  private final MethodHandle ioctl;
  private final MethodHandle geteuid;
  private final MethodHandle getegid;

  private Libc() {
    Linker linker = Linker.nativeLinker();
    setsockopt =
        find(
            linker,
            "setsockopt",
            FunctionDescriptor.of(JAVA_INT, JAVA_INT, JAVA_INT, JAVA_INT, ADDRESS, JAVA_INT));
    sendmsg =
        find(linker, "sendmsg", FunctionDescriptor.of(JAVA_LONG, JAVA_INT, ADDRESS, JAVA_INT));
    recvmsg =
        find(linker, "recvmsg", FunctionDescriptor.of(JAVA_LONG, JAVA_INT, ADDRESS, JAVA_INT));
    poll = find(linker, "poll", FunctionDescriptor.of(JAVA_INT, ADDRESS, JAVA_LONG, JAVA_INT));
    close = find(linker, "close", FunctionDescriptor.of(JAVA_INT, JAVA_INT));
    ioctl =
        linker.downcallHandle(
            linker.defaultLookup().findOrThrow("ioctl"),
            FunctionDescriptor.of(JAVA_INT, JAVA_INT, JAVA_LONG, ADDRESS),
            Linker.Option.captureCallState("errno"),
            Linker.Option.firstVariadicArg(2));
    geteuid = find(linker, "geteuid", FunctionDescriptor.of(JAVA_INT));
    getegid = find(linker, "getegid", FunctionDescriptor.of(JAVA_INT));
  }

  private static MethodHandle find(Linker linker, String name, FunctionDescriptor type) {
    MemorySegment symbol =
        linker
            .defaultLookup()
            .find(name)
            .orElseThrow(() -> new UnsupportedOperationException("the C library lacks " + name));
    return linker.downcallHandle(symbol, type, Linker.Option.captureCallState("errno"));
  }

  /** Made at first use: most programs never need it. */
  private static final class Holder {
    static final Libc INSTANCE = new Libc();
  }

  /**
   * The C library of this process.
   *
   * @throws SocketException on a system whose layouts are not the ones above
   */
  static Libc get() throws SocketException {
    check();
    return Holder.INSTANCE;
  }

  /**
   * Nothing, on a system that this knows.
   *
   * @throws SocketException on any other
   */
  static void check() throws SocketException {
    String os = System.getProperty("os.name", "");
    String arch = System.getProperty("os.arch", "").toLowerCase(Locale.ROOT);
    if (!os.equals("Linux") || !(arch.equals("amd64") || arch.equals("aarch64"))) {
      throw new SocketException(
          "credentials over a socket are known for Linux on x86_64 and aarch64 only, not for "
              + os
              + " on "
              + arch);
    }
  }

  /** What a call returned, and errno where that is negative. */
  record Result(long value, int errno) {
    boolean failed() {
      return value < 0;
    }

    boolean again() {
      return failed() && (errno == EAGAIN || errno == EINTR);
    }

    /** The value, or the error as an exception. */
    long orThrow(String what) throws SocketException {
      if (failed()) {
        throw new SocketException(what + ": errno " + errno);
      }
      return value;
    }
  }

  void setOption(int fd, int option, MemorySegment value) throws IOException {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment state = arena.allocate(CAPTURED);
      int rc =
          (int)
              setsockopt.invokeExact(state, fd, SOL_SOCKET, option, value, (int) value.byteSize());
      result(state, rc).orThrow("setsockopt " + option);
    } catch (Throwable e) {
      throw unexpected(e);
    }
  }

  void setOption(int fd, int option, int value) throws IOException {
    try (Arena arena = Arena.ofConfined()) {
      setOption(fd, option, arena.allocateFrom(JAVA_INT, value));
    }
  }

  /** SO_SNDTIMEO, which also bounds a connect that waits for a place in the backlog. */
  void setSendTimeout(int fd, long micros) throws IOException {
    try (Arena arena = Arena.ofConfined()) {
      // struct timeval
      setOption(
          fd, SO_SNDTIMEO, arena.allocateFrom(JAVA_LONG, micros / 1_000_000, micros % 1_000_000));
    }
  }

  Result send(int fd, MemorySegment message, int flags) throws IOException {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment state = arena.allocate(CAPTURED);
      return result(state, (long) sendmsg.invokeExact(state, fd, message, flags));
    } catch (Throwable e) {
      throw unexpected(e);
    }
  }

  Result receive(int fd, MemorySegment message, int flags) throws IOException {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment state = arena.allocate(CAPTURED);
      return result(state, (long) recvmsg.invokeExact(state, fd, message, flags));
    } catch (Throwable e) {
      throw unexpected(e);
    }
  }

  /**
   * Waits until the descriptor is ready, or broken.
   *
   * @param millis at most so long
   * @return whether anything happened; false too after a signal, so the caller looks at its clock
   */
  boolean poll(int fd, short events, int millis) throws IOException {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment state = arena.allocate(CAPTURED);
      MemorySegment pollfd = arena.allocate(8, 4); // int fd; short events, revents
      pollfd.set(JAVA_INT, 0, fd);
      pollfd.set(JAVA_SHORT, 4, events);
      Result result = result(state, (int) poll.invokeExact(state, pollfd, 1L, millis));
      return !result.again() && result.orThrow("poll") > 0;
    } catch (Throwable e) {
      throw unexpected(e);
    }
  }

  /** How much of what was sent the peer has not read; in the kernel's units, 0 for nothing. */
  int unread(int fd) throws IOException {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment state = arena.allocate(CAPTURED);
      MemorySegment amount = arena.allocate(JAVA_INT);
      result(state, (int) ioctl.invokeExact(state, fd, SIOCOUTQ, amount)).orThrow("SIOCOUTQ");
      return amount.get(JAVA_INT, 0);
    } catch (Throwable e) {
      throw unexpected(e);
    }
  }

  /** Closes a descriptor that came in by SCM_RIGHTS. */
  void closeDescriptor(int fd) throws IOException {
    try (Arena arena = Arena.ofConfined()) {
      int ignored = (int) close.invokeExact(arena.allocate(CAPTURED), fd);
    } catch (Throwable e) {
      throw unexpected(e);
    }
  }

  int effectiveUid() throws IOException {
    return number(geteuid);
  }

  int effectiveGid() throws IOException {
    return number(getegid);
  }

  private static int number(MethodHandle call) throws IOException {
    try (Arena arena = Arena.ofConfined()) {
      return (int) call.invokeExact(arena.allocate(CAPTURED));
    } catch (Throwable e) {
      throw unexpected(e);
    }
  }

  private static Result result(MemorySegment state, long value) {
    return new Result(value, value < 0 ? (int) ERRNO.get(state, 0L) : 0);
  }

  /** invokeExact declares Throwable; the calls themselves throw nothing that is checked. */
  private static IOException unexpected(Throwable e) {
    return switch (e) {
      case IOException io -> io;
      case RuntimeException runtime -> throw runtime;
      case Error error -> throw error;
      default -> new IOException(e);
    };
  }
}
