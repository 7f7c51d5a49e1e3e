package org.tpforward.agent.cli;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;

/** Whether the terminal's Ctrl-C reaches this process's whole group by itself. */
final class ForegroundTerminal {
  private ForegroundTerminal() {}

  /** Whether this process is in the foreground of a terminal. */
  static boolean isOurs() {
    try {
      return isForeground(Files.readString(Path.of("/proc/self/stat")));
    } catch (IOException e) {
      return false;
    }
  }

  /**
   * @param stat proc_pid_stat(5): pid, (name), state, parent, process group, session, terminal, its
   *     foreground process group; the name may hold anything, so fields are counted after it
   */
  static boolean isForeground(String stat) {
    String[] fields = stat.substring(stat.lastIndexOf(')') + 1).strip().split(" ", 7);
    return fields.length == 7 && !fields[4].equals("0") && fields[2].equals(fields[5]);
  }
}
