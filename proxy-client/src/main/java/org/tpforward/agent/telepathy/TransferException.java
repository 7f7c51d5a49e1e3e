package org.tpforward.agent.telepathy;

import java.io.IOException;

/** A transfer, or what comes before it, failed; the message is one line for the user. */
public final class TransferException extends IOException {
  private static final long serialVersionUID = 1L;

  private final String errorName;

  /**
   * @param line what went wrong and what to do next, without a full stop
   */
  public TransferException(String line) {
    super(line);
    this.errorName = "";
  }

  TransferException(String line, String errorName, Throwable cause) {
    super(line, cause);
    this.errorName = errorName;
  }

  /** What a stream's end says; some exceptions say nothing. */
  static String reason(IOException e) {
    String message = e.getMessage();
    return message == null ? "the connection manager closed the socket" : message;
  }

  /** The D-Bus error beneath, empty if there is none. */
  String errorName() {
    return errorName;
  }
}
