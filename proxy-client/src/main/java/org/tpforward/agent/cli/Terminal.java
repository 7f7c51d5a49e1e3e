package org.tpforward.agent.cli;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;

/** Whether, and how wide. */
public final class Terminal {
  /** The descriptor of standard output. */
  public static final int STDOUT = 1;

  private static final int USUAL = 80;

  private Terminal() {}

  /** Whether a descriptor is a terminal. */
  public static boolean isTerminal(int descriptor) {
    try {
      // A pipe or a file is told apart without the foreign function API, which takes time to load.
      Path target = Files.readSymbolicLink(Path.of("/proc/self/fd/" + descriptor));
      return !target.toString().startsWith("pipe:")
          && !Files.isRegularFile(target)
          && Posix.isTerminal(descriptor);
    } catch (IOException e) {
      return false;
    }
  }

  /** Columns of a terminal, 80 if it does not say. */
  public static int columns(int descriptor) {
    try {
      int columns = Posix.columns(descriptor);
      return columns > 0 ? columns : USUAL;
    } catch (IOException e) {
      return USUAL;
    }
  }
}
