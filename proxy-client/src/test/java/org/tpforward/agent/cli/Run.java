package org.tpforward.agent.cli;

import java.io.ByteArrayOutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.util.Map;
import org.tpforward.agent.AgentException;
import org.tpforward.agent.ExitCode;

/**
 * One run of the command line in this process.
 *
 * @param status that it ends with
 * @param out what it prints
 * @param err its messages
 */
record Run(int status, String out, String err) {
  /** With an agent that never starts. */
  static Run of(Map<String, String> environment, String... arguments) {
    return of(
        (options, directory) -> {
          throw new AgentException(ExitCode.LINK, options + " in " + directory.name());
        },
        environment,
        arguments);
  }

  static Run of(AgentStarter starter, Map<String, String> environment, String... arguments) {
    PrintStream out = System.out;
    PrintStream err = System.err;
    ByteArrayOutputStream outBytes = new ByteArrayOutputStream();
    ByteArrayOutputStream errBytes = new ByteArrayOutputStream();
    System.setOut(new PrintStream(outBytes, true, StandardCharsets.UTF_8));
    System.setErr(new PrintStream(errBytes, true, StandardCharsets.UTF_8));
    int status;
    try {
      status = Tpforward.execute(starter, environment, arguments);
    } finally {
      System.setOut(out);
      System.setErr(err);
    }
    return new Run(
        status,
        outBytes.toString(StandardCharsets.UTF_8),
        errBytes.toString(StandardCharsets.UTF_8));
  }
}
