package org.tpforward.dbus;

import java.io.IOException;

/**
 * SASL ended without success: the peer may not in, or does not keep to the protocol, or took too
 * long. The message is one line that says which. The channel is of no use afterwards.
 */
public final class AuthenticationException extends IOException {
  private static final long serialVersionUID = 1L;

  /**
   * @param message one line
   */
  public AuthenticationException(String message) {
    super(message);
  }
}
