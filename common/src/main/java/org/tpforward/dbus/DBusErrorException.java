package org.tpforward.dbus;

/** A call was answered with an ERROR message. The connection goes on. */
public final class DBusErrorException extends Exception {
  private static final long serialVersionUID = 1L;

  private final String errorName;

  /**
   * @param errorName such as {@code org.freedesktop.DBus.Error.UnknownMethod}
   * @param message what the peer says, empty if it says nothing
   */
  public DBusErrorException(String errorName, String message) {
    super(message.isEmpty() ? errorName : errorName + ": " + message);
    this.errorName = errorName;
  }

  /** The error's name. */
  public String errorName() {
    return errorName;
  }
}
