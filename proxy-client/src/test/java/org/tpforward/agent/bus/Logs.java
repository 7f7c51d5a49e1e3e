package org.tpforward.agent.bus;

import java.io.ByteArrayOutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import org.tpforward.agent.forward.Sockets;

/** What is logged while a test runs: the backend writes lines to System.err. */
final class Logs implements AutoCloseable {
  private final PrintStream before = System.err;
  private final ByteArrayOutputStream bytes = new ByteArrayOutputStream();

  Logs() {
    System.setErr(new PrintStream(bytes, true, StandardCharsets.UTF_8));
  }

  /** Waits for a line with all of these in it. */
  void await(String... parts) throws InterruptedException {
    Sockets.await(() -> text().lines().anyMatch(line -> hasAll(line, parts)));
  }

  String text() {
    return bytes.toString(StandardCharsets.UTF_8);
  }

  private static boolean hasAll(String line, String[] parts) {
    for (String part : parts) {
      if (!line.contains(part)) {
        return false;
      }
    }
    return true;
  }

  @Override
  public void close() {
    System.setErr(before);
    before.print(text());
  }
}
