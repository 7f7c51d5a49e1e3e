package org.tpforward.agent.cli;

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
import java.lang.invoke.MethodHandle;
import java.nio.file.Path;

/** What a program that goes to the background, or draws on a terminal, needs of the C library. */
final class Posix {
  // <asm-generic/fcntl.h>, <asm-generic/ioctls.h>: the same on x86_64 and aarch64.
  private static final int O_WRONLY = 01;
  private static final int O_RDWR = 02;
  private static final int O_CREAT = 0100;
  private static final int O_APPEND = 02000;
  private static final int O_CLOEXEC = 02000000;
  private static final int O_NOFOLLOW = 0400000;
  private static final long TIOCGWINSZ = 0x5413;
  private static final int OWNER_ONLY = 0600;

  private static final Linker LINKER = Linker.nativeLinker();

  private Posix() {}

  /** What a variadic function wants to know is where its variable arguments begin. */
  private static MethodHandle function(
      String name, int variadicFrom, MemoryLayout result, MemoryLayout... arguments) {
    FunctionDescriptor descriptor = FunctionDescriptor.of(result, arguments);
    MemorySegment address = LINKER.defaultLookup().findOrThrow(name);
    return variadicFrom < 0
        ? LINKER.downcallHandle(address, descriptor)
        : LINKER.downcallHandle(address, descriptor, Linker.Option.firstVariadicArg(variadicFrom));
  }

  private static int call(String name, int variadicFrom, Object... arguments) throws IOException {
    MemoryLayout[] layouts = new MemoryLayout[arguments.length];
    for (int i = 0; i < arguments.length; i++) {
      layouts[i] =
          switch (arguments[i]) {
            case Integer _ -> JAVA_INT;
            case Long _ -> JAVA_LONG;
            default -> ADDRESS;
          };
    }
    try {
      return (int) function(name, variadicFrom, JAVA_INT, layouts).invokeWithArguments(arguments);
    } catch (Throwable t) {
      throw new IOException(name + " cannot be called", t);
    }
  }

  /** Leaves the terminal and the process group; false for the leader of a process group. */
  static boolean newSession() throws IOException {
    return call("setsid", -1) >= 0;
  }

  /**
   * Makes a descriptor mean a file.
   *
   * @param append writes go to its end, and it is made if it is not there; else it is opened for
   *     reading and writing
   */
  static void redirect(int descriptor, Path file, boolean append) throws IOException {
    int flags = append ? O_WRONLY | O_CREAT | O_APPEND | O_NOFOLLOW : O_RDWR;
    try (Arena arena = Arena.ofConfined()) {
      int opened =
          call("open", 2, arena.allocateFrom(file.toString()), flags | O_CLOEXEC, OWNER_ONLY);
      if (opened < 0) {
        throw new IOException(file + " cannot be opened");
      }
      int done = call("dup2", -1, opened, descriptor);
      int closed = call("close", -1, opened);
      if (done < 0 || closed < 0) {
        throw new IOException("descriptor " + descriptor + " cannot be made " + file);
      }
    }
  }

  /** Sends a signal; false if there is no such process, or it is not ours. */
  static boolean kill(long pid, int signal) throws IOException {
    return call("kill", -1, Math.toIntExact(pid), signal) == 0;
  }

  /** Whether a descriptor is a terminal. */
  static boolean isTerminal(int descriptor) throws IOException {
    return call("isatty", -1, descriptor) == 1;
  }

  /** Columns of the terminal that a descriptor is; 0 if it is none, or does not say. */
  static int columns(int descriptor) throws IOException {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment size = arena.allocate(8, 2); // struct winsize: rows, columns, pixels
      return call("ioctl", 2, descriptor, TIOCGWINSZ, size) == 0
          ? Short.toUnsignedInt(size.get(JAVA_SHORT, 2))
          : 0;
    }
  }
}
