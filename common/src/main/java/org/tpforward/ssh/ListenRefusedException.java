package org.tpforward.ssh;

import java.io.IOException;

/** The server answered a request to listen with SSH_MSG_REQUEST_FAILURE. */
public final class ListenRefusedException extends IOException {
  private static final long serialVersionUID = 1L;

  /**
   * @param message where, and what the server said in SSH_MSG_DEBUG meanwhile; one line
   */
  public ListenRefusedException(String message) {
    super(message);
  }
}
