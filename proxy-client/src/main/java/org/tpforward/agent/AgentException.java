package org.tpforward.agent;

import org.jspecify.annotations.Nullable;

/** The agent cannot start, or cannot go on; its message is made for the user. */
public final class AgentException extends Exception {
  private static final long serialVersionUID = 1L;

  private final ExitCode exitCode;

  /**
   * @param exitCode what the program is to end with
   * @param line what went wrong and what to do next; one line without a full stop
   */
  public AgentException(ExitCode exitCode, String line) {
    this(exitCode, line, null);
  }

  /**
   * @param exitCode what the program is to end with
   * @param line what went wrong and what to do next; one line without a full stop
   * @param cause for who asked for a stack trace
   */
  public AgentException(ExitCode exitCode, String line, @Nullable Throwable cause) {
    super(line, cause);
    this.exitCode = exitCode;
  }

  /** What the program is to end with. */
  public ExitCode exitCode() {
    return exitCode;
  }

  /** What went wrong and what to do next. */
  public String line() {
    return String.valueOf(getMessage());
  }
}
