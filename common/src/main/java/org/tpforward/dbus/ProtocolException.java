package org.tpforward.dbus;

import java.io.IOException;

/**
 * Bytes from outside that the D-Bus specification forbids, or that are over a limit. The message is
 * one line: what is wrong, and at which byte of what. The connection that they came from is of no
 * use afterwards.
 */
public final class ProtocolException extends IOException {
  private static final long serialVersionUID = 1L;

  /**
   * @param message one line
   */
  public ProtocolException(String message) {
    super(message);
  }

  /**
   * @param where what was being read: "header", "body", …
   * @param offset counted from that thing's first byte
   * @param what one line
   */
  static ProtocolException at(String where, long offset, String what) {
    return new ProtocolException(what + " (byte " + offset + " of the " + where + ")");
  }
}
