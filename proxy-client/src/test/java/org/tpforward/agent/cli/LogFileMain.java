package org.tpforward.agent.cli;

import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;

/** Sends its standard error to a small log file. */
final class LogFileMain {
  private static final int MAX = 250;

  private LogFileMain() {}

  public static void main(String[] arguments) throws Exception {
    System.setErr(
        new PrintStream(new LogFile(Path.of(arguments[0]), MAX), true, StandardCharsets.UTF_8));
    for (int i = 0; i < 10; i++) {
      System.err.print(i + "x".repeat(98) + "\n");
    }
  }
}
