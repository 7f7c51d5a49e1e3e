package org.tpforward.agent;

/**
 * The exit statuses of {@code tpforward}, all of them. {@code tpforward run} ends with its
 * command's own status unless one of these comes first.
 */
public enum ExitCode {
  /** Done. */
  OK(0, "done"),
  /** The task failed: a transfer is incomplete, a file cannot be read. */
  FAILED(1, "the task failed"),
  /** The command line makes no sense. */
  USAGE(2, "wrong usage"),
  /** Another agent has the name, or the runtime directory cannot be used. */
  RUNTIME_DIRECTORY(3, "name in use, or runtime directory unusable"),
  /** There is no agent of that name, or none at all. */
  NO_AGENT(4, "no such agent"),
  /** The bus of the other machine was not found, or does not let us in. */
  REMOTE_BUS(5, "remote bus not found or unusable"),
  /** There is no SSH connection, or it was lost; the status that ssh uses. */
  LINK(255, "the SSH connection failed");

  private final int status;
  private final String meaning;

  ExitCode(int status, String meaning) {
    this.status = status;
    this.meaning = meaning;
  }

  /** The process's exit status, 0 to 255. */
  public int status() {
    return status;
  }

  /** What it means, a few words for a list in a help text. */
  public String meaning() {
    return meaning;
  }
}
