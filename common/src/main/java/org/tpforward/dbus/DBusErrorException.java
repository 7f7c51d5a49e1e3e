package org.tpforward.dbus;

/** A call was answered with an ERROR message. The connection goes on. */
public final class DBusErrorException extends Exception {
  private static final long serialVersionUID = 1L;

  /** Characters of the peer's own text that are kept. */
  private static final int MAX_TEXT = 500;

  private final String errorName;

  /**
   * @param errorName such as {@code org.freedesktop.DBus.Error.UnknownMethod}
   * @param message what the peer says, empty if it says nothing; becomes one line
   */
  public DBusErrorException(String errorName, String message) {
    super(message.isEmpty() ? errorName : errorName + ": " + Texts.line(message, MAX_TEXT));
    this.errorName = errorName;
  }

  /** The error's name. */
  public String errorName() {
    return errorName;
  }
}
