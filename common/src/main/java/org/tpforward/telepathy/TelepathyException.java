package org.tpforward.telepathy;

/** An error that a Telepathy client knows by name (specification 0.27, "Errors"). */
public final class TelepathyException extends Exception {
  private static final long serialVersionUID = 1L;
  private static final String PREFIX = Names.PREFIX + ".Error.";

  private final String errorName;

  private TelepathyException(String errorName, String message) {
    super(message);
    this.errorName = errorName;
  }

  /** The D-Bus error name. */
  public String errorName() {
    return errorName;
  }

  /** The text for a person; never null here. */
  public String text() {
    return String.valueOf(getMessage());
  }

  /** One of the provided arguments was invalid. */
  public static TelepathyException invalidArgument(String message) {
    return new TelepathyException(PREFIX + "InvalidArgument", message);
  }

  /** The requested thing exists in the specification, but not here. */
  public static TelepathyException notImplemented(String message) {
    return new TelepathyException(PREFIX + "NotImplemented", message);
  }

  /** The requested functionality is temporarily unavailable. */
  public static TelepathyException notAvailable(String message) {
    return new TelepathyException(PREFIX + "NotAvailable", message);
  }
}
