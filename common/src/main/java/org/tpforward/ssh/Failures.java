package org.tpforward.ssh;

import java.io.IOException;
import java.nio.channels.ClosedChannelException;

/** Why a stream broke is known to one thread and thrown in others. */
final class Failures {
  private Failures() {}

  /**
   * A failure that says only what happened: most channels end with one that nobody meets, and a
   * stack costs more than the rest of the end.
   */
  static IOException bare(String message) {
    return new Bare(message);
  }

  /** What this side does not read or write any more. */
  static IOException closed() {
    return new Closed();
  }

  private static final class Closed extends ClosedChannelException {
    private static final long serialVersionUID = 1;

    @Override
    public synchronized Throwable fillInStackTrace() {
      return this;
    }
  }

  private static final class Bare extends IOException {
    private static final long serialVersionUID = 1;

    Bare(String message) {
      super(message);
    }

    @Override
    public synchronized Throwable fillInStackTrace() {
      return this;
    }
  }

  /** The same failure with the stack of the thread that meets it. */
  static IOException here(IOException failure) {
    return new IOException(failure.getMessage(), failure);
  }
}
