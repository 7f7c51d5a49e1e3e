package org.tpforward.server;

/** The server cannot start, or go on: what is wrong, and what to do, in one line. */
public final class ServerException extends Exception {
  private static final long serialVersionUID = 1L;

  /**
   * @param message for a person
   */
  public ServerException(String message) {
    super(message);
  }

  /** With its cause, for the log at its most talkative. */
  public ServerException(String message, Throwable cause) {
    super(message, cause);
  }
}
