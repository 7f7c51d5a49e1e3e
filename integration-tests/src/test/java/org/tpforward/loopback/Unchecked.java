package org.tpforward.loopback;

import java.io.IOException;
import java.io.UncheckedIOException;

/** Lets a thread do I/O. */
final class Unchecked {
  interface Action {
    void run() throws IOException;
  }

  private Unchecked() {}

  static void run(Action action) {
    try {
      action.run();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}
