package org.tpforward.harness;

/** A program of the environment did not do what the test or the demo stands on. */
public final class HarnessException extends RuntimeException {
  private static final long serialVersionUID = 1L;

  /**
   * @param message what was expected, and what the program said
   */
  public HarnessException(String message) {
    super(message);
  }

  /**
   * @param message what was tried
   * @param cause why it failed
   */
  public HarnessException(String message, Throwable cause) {
    super(message, cause);
  }
}
