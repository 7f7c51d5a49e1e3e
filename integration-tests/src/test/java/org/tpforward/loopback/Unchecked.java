package org.tpforward.loopback;

import java.io.IOException;
import java.io.UncheckedIOException;

/** Lets a thread do what may fail. */
final class Unchecked {
  interface Action {
    void run() throws Exception;
  }

  private Unchecked() {}

  static void run(Action action) {
    try {
      action.run();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    } catch (RuntimeException e) {
      throw e;
    } catch (Exception e) {
      throw new IllegalStateException(e);
    }
  }
}
