package org.tpforward.server.cli;

import org.jspecify.annotations.Nullable;

/** Lines for the operator on standard error. */
final class Messages {
  private Messages() {}

  /** What is wrong, and what to do next. */
  static void error(@Nullable String line) {
    tell(String.valueOf(line));
  }

  /** What happens. */
  static void tell(String line) {
    System.err.println("tpforward-server: " + line.replaceAll("\\p{Cntrl}+", " "));
  }
}
