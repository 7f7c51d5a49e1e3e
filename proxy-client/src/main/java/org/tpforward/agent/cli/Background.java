package org.tpforward.agent.cli;

import java.io.IOException;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;

/**
 * Leaves the terminal. A JVM cannot fork, so whoever started it has put it beside the shell's work
 * already (bin/tpforward does); what remains is to leave the session and to let go of the standard
 * descriptors, which tells a reader of the output that nothing more comes.
 */
final class Background {
  private static final Path NULL = Path.of("/dev/null");

  private Background() {}

  /**
   * @param log where errors and log lines go from here on; bounded in size
   */
  static void enter(Path log) throws IOException {
    System.out.flush();
    // Fails for the leader of a process group, which a shell with job control made of it: fine too.
    boolean _ = Posix.newSession();
    System.setErr(new PrintStream(new LogFile(log), true, StandardCharsets.UTF_8));
    Posix.redirect(0, NULL, false);
    Posix.redirect(1, NULL, false);
  }
}
