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
import java.nio.channels.SocketChannel;
import org.jspecify.annotations.Nullable;
import org.newsclub.net.unix.AFUNIXSocketChannel;
import org.newsclub.net.unix.FileDescriptorCast;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * send(2) with MSG_DONTWAIT on a socket that is in blocking mode for everybody else: what a thread
 * that must never wait can still write itself, instead of waking another one for it. The bytes go
 * from the array to the kernel without a copy between.
 *
 * <p>The JDK shows the number of a channel's descriptor only to who exports {@code
 * java.base/sun.nio.ch}: the program's jars do, in their manifest ({@code Add-Exports}). Without
 * it, or on a system that {@link Libc} does not know, no channel of the JDK has one of these, and
 * all that is lost is time.
 */
final class NowaitSocket {
  private static final Logger log = LoggerFactory.getLogger(NowaitSocket.class);
  private static final int FLAGS = Libc.MSG_DONTWAIT | Libc.MSG_NOSIGNAL;

  private final int fd;

  private NowaitSocket(int fd) {
    this.fd = fd;
  }

  /** The socket of a channel, if it can be had. Must not be used once the channel is closed. */
  static @Nullable NowaitSocket of(SocketChannel channel) {
    Calls calls = Holder.CALLS;
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
   * @return how much; 0 also if it is broken, which a waiting write will tell
   */
  int send(byte[] bytes, int offset, int length) {
    Calls calls = Holder.CALLS;
    if (calls == null) {
      return 0;
    }
    MemorySegment data = MemorySegment.ofArray(bytes).asSlice(offset, length);
    try {
      return Math.max(0, (int) (long) calls.send.invokeExact(fd, data, (long) length, FLAGS));
    } catch (Throwable e) { // what invokeExact declares; the call itself throws nothing
      log.debug("send on {}", fd, e);
      return 0;
    }
  }

  private record Calls(MethodHandle descriptor, MethodHandle send) {}

  /** Made at first use: it takes some milliseconds. */
  private static final class Holder {
    static final @Nullable Calls CALLS = find();

    private static @Nullable Calls find() {
      try {
        Libc.get();
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
        return new Calls(descriptor, send);
      } catch (ReflectiveOperationException | java.io.IOException | RuntimeException e) {
        log.debug("no writes by the reading thread", e);
        return null;
      }
    }
  }
}
