package org.tpforward.agent;

import java.io.EOFException;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.ByteChannel;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;

/** The control protocol's frame: one JSON text on one line, ended by LF, in UTF-8. */
final class ControlLine {
  private static final int FIRST = 1024;

  private ControlLine() {}

  /**
   * Reads one line; what follows it is dropped.
   *
   * @param max bytes of the line without its end; memory is taken as they come
   * @throws EOFException if the peer ends before the line
   * @throws IOException if the line is longer
   */
  static Json read(ByteChannel channel, int max) throws IOException {
    byte[] line = new byte[Math.min(FIRST, max + 1)];
    int length = 0;
    while (true) {
      int got = channel.read(ByteBuffer.wrap(line, length, line.length - length));
      if (got < 0) {
        throw new EOFException("the other side ended before its line did");
      }
      for (int i = length; i < length + got; i++) {
        if (line[i] == '\n') {
          return parse(new String(line, 0, i, StandardCharsets.UTF_8));
        }
      }
      length += got;
      if (length > max) {
        throw new IOException("a line of over " + max + " bytes");
      }
      if (length == line.length) {
        line = Arrays.copyOf(line, Math.min(2 * line.length, max + 1));
      }
    }
  }

  private static Json parse(String line) throws IOException {
    try {
      return Json.parse(line);
    } catch (IllegalArgumentException e) {
      throw new IOException(e.getMessage(), e);
    }
  }

  static void write(ByteChannel channel, Json json) throws IOException {
    ByteBuffer line = StandardCharsets.UTF_8.encode(json + "\n");
    while (line.hasRemaining()) {
      channel.write(line);
    }
  }
}
