package org.tpforward.agent.link;

import java.io.ByteArrayOutputStream;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;

/** Keeps the first bytes of what is written to it and drops the rest. Safe for threads. */
final class BoundedOutput extends OutputStream {
  private final ByteArrayOutputStream kept = new ByteArrayOutputStream();
  private final int most;
  private boolean truncated;

  BoundedOutput(int most) {
    this.most = most;
  }

  @Override
  public void write(int b) {
    write(new byte[] {(byte) b}, 0, 1);
  }

  @Override
  public synchronized void write(byte[] bytes, int offset, int length) {
    int room = Math.min(length, most - kept.size());
    kept.write(bytes, offset, room);
    truncated |= room < length;
  }

  synchronized boolean truncated() {
    return truncated;
  }

  synchronized String text() {
    return kept.toString(StandardCharsets.UTF_8);
  }
}
