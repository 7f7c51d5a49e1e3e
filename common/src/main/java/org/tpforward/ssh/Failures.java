package org.tpforward.ssh;

import java.io.IOException;

/** Why a stream broke is known to one thread and thrown in others. */
final class Failures {
  private Failures() {}

  /** The same failure with the stack of the thread that meets it. */
  static IOException here(IOException failure) {
    return new IOException(failure.getMessage(), failure);
  }
}
