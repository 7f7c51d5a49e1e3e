package org.tpforward.loopback;

/** An error reply, by its name in the Telepathy specification. */
final class Fault extends Exception {
  private static final long serialVersionUID = 1L;
  private static final String PREFIX = "org.freedesktop.Telepathy.Error.";

  private final String errorName;

  private Fault(String errorName, String text) {
    super(text);
    this.errorName = errorName;
  }

  static Fault of(String lastPart, String text) {
    return new Fault(PREFIX + lastPart, text);
  }

  static Fault invalidArgument(String text) {
    return of("InvalidArgument", text);
  }

  static Fault notImplemented(String text) {
    return of("NotImplemented", text);
  }

  static Fault notAvailable(String text) {
    return of("NotAvailable", text);
  }

  /** One of D-Bus's own errors. */
  static Fault dbus(String lastPart, String text) {
    return new Fault("org.freedesktop.DBus.Error." + lastPart, text);
  }

  String errorName() {
    return errorName;
  }

  String text() {
    return String.valueOf(getMessage());
  }
}
