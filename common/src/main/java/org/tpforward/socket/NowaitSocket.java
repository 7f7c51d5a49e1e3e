package org.tpforward.socket;

import static java.lang.foreign.ValueLayout.ADDRESS;
import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemorySegment;
import java.lang.invoke.MethodHandle;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.MethodType;
import java.net.SocketException;
import java.nio.channels.SocketChannel;
import java.util.concurrent.atomic.AtomicBoolean;
import org.jspecify.annotations.Nullable;
import org.newsclub.net.unix.AFUNIXSocketChannel;
import org.newsclub.net.unix.FileDescriptorCast;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.tpforward.relay.Threads;

/**
 * Calls on a socket's descriptor that never wait. send(2) with MSG_DONTWAIT, be the socket in
 * blocking mode or not: what a thread that must not wait can still write itself, instead of waking
 * another one for it; the bytes go from the array to the kernel without a copy between. And
 * getsockopt(2) for who the peer is.
 *
 * <p>The JDK shows the number of a channel's descriptor only to who exports {@code
 * java.base/sun.nio.ch}: the program's jars do, in their manifest ({@code Add-Exports}). Without
 * it, or on a system that {@link Libc} does not know, no channel of the JDK has one of these, and
 * all that is lost is time.
 *
 * <p>Whoever uses it sees to it that the channel is not closed meanwhile: the number may be
 * another's by then.
 */
public final class NowaitSocket {
  private static final Logger log = LoggerFactory.getLogger(NowaitSocket.class);
  private static final int SO_PEERCRED = 17;

  /** struct ucred is three of them. */
  private static final int UCRED_INTS = 3;

  private static final int FLAGS = Libc.MSG_DONTWAIT | Libc.MSG_NOSIGNAL;
  private static final AtomicBoolean PREPARING = new AtomicBoolean();

  /** Whether {@link Holder#CALLS} has been made, and can be. */
  private static volatile boolean prepared;

  private final int fd;

  private NowaitSocket(int fd) {
    this.fd = fd;
  }

  /**
   * The socket of a channel, if it can be had. Not at once: what the calls need takes some
   * milliseconds to make, and another thread makes it when this is first asked for.
   */
  public static @Nullable NowaitSocket of(SocketChannel channel) {
    if (!prepared && PREPARING.compareAndSet(false, true)) {
      Threads.waiting("prepare", () -> prepared = Holder.CALLS != null);
    }
    return ifPrepared(channel);
  }

  /** The same for who does well enough without: nothing is made for it. */
  static @Nullable NowaitSocket ifPrepared(SocketChannel channel) {
    Calls calls = prepared ? Holder.CALLS : null;
    if (calls == null) {
      return null;
    }
    try {
      return new NowaitSocket(
          channel instanceof AFUNIXSocketChannel unix
              ? FileDescriptorCast.using(unix.getFileDescriptor()).as(Integer.class)
              : (int) calls.descriptor.invokeExact(channel));
    } catch (Throwable e) { // what invokeExact declares
      log.debug("no descriptor of {}", channel, e);
      return null;
    }
  }

  /**
   * Sends what the socket takes at once.
   *
   * @return how much, from the beginning; 0 also if it is broken, which the channel's own write
   *     will tell
   */
  public int send(byte[] bytes, int offset, int length) {
    Calls calls = Holder.CALLS;
    if (calls == null) {
      return 0;
    }
    MemorySegment data = MemorySegment.ofArray(bytes).asSlice(offset, length);
    try {
      return (int) Math.max(0L, (long) calls.send.invokeExact(fd, data, (long) length, FLAGS));
    } catch (Throwable e) { // what invokeExact declares
      log.debug("send on {}", fd, e);
      return 0;
    }
  }

  /**
   * SO_PEERCRED (unix(7)): pid, uid and gid, where the JDK looks names up in the user database and
   * shows no number.
   *
   * @return null if they cannot be had
   */
  int @Nullable [] peer() {
    Calls calls = Holder.CALLS;
    if (calls == null) {
      return null;
    }
    int[] ucred = new int[UCRED_INTS];
    int[] length = {UCRED_INTS * Integer.BYTES};
    try {
      int result =
          (int)
              calls.getsockopt.invokeExact(
                  fd,
                  Libc.SOL_SOCKET,
                  SO_PEERCRED,
                  MemorySegment.ofArray(ucred),
                  MemorySegment.ofArray(length));
      return result == 0 && length[0] == UCRED_INTS * Integer.BYTES ? ucred : null;
    } catch (Throwable e) { // what invokeExact declares
      log.debug("getsockopt on {}", fd, e);
      return null;
    }
  }

  private record Calls(MethodHandle descriptor, MethodHandle send, MethodHandle getsockopt) {}

  private static final class Holder {
    static final @Nullable Calls CALLS = find();

    private static @Nullable Calls find() {
      try {
        Libc.check();
        MethodHandle descriptor =
            MethodHandles.lookup()
                .findVirtual(
                    Class.forName("sun.nio.ch.SelChImpl"),
                    "getFDVal",
                    MethodType.methodType(int.class))
                .asType(MethodType.methodType(int.class, SocketChannel.class));
        Linker linker = Linker.nativeLinker();
        // "Critical": it returns at once, and may be given an array of the heap.
        MethodHandle send =
            linker.downcallHandle(
                linker.defaultLookup().findOrThrow("send"),
                FunctionDescriptor.of(JAVA_LONG, JAVA_INT, ADDRESS, JAVA_LONG, JAVA_INT),
                Linker.Option.critical(true));
        MethodHandle getsockopt =
            linker.downcallHandle(
                linker.defaultLookup().findOrThrow("getsockopt"),
                FunctionDescriptor.of(JAVA_INT, JAVA_INT, JAVA_INT, JAVA_INT, ADDRESS, ADDRESS),
                Linker.Option.critical(true));
        return new Calls(descriptor, send, getsockopt);
      } catch (ReflectiveOperationException | SocketException | RuntimeException e) {
        log.debug("what arrives is written by threads of its own", e);
        return null;
      }
    }
  }
}
