package org.tpforward.dbus;

/** The kind of a message (D-Bus specification, "Message Format", second byte). */
public enum MessageType {
  /** Asks for a method to be called; the only kind that may have a reply. */
  METHOD_CALL(1),
  /** The reply of a call that succeeded. */
  METHOD_RETURN(2),
  /** The reply of a call that failed. */
  ERROR(3),
  /** Something happened. */
  SIGNAL(4),
  /** A code of 5 to 255: "unknown types must be ignored", so they pass through. */
  UNKNOWN(-1);

  private final int code;

  MessageType(int code) {
    this.code = code;
  }

  /** The byte on the wire, -1 for {@link #UNKNOWN}. */
  public int code() {
    return code;
  }

  /**
   * @param code 1 to 255; 0 is INVALID and refused by {@link Header} before it comes here
   */
  static MessageType of(int code) {
    return switch (code) {
      case 1 -> METHOD_CALL;
      case 2 -> METHOD_RETURN;
      case 3 -> ERROR;
      case 4 -> SIGNAL;
      default -> UNKNOWN;
    };
  }
}
