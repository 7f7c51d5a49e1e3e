package org.tpforward.dbus;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.ByteChannel;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;

/**
 * The line discipline of SASL (D-Bus specification, "Authentication Protocol"): ASCII, ended by CR
 * LF, at most {@link #MAX_LINE} bytes. What came after the last line read belongs to whoever goes
 * on with the channel.
 */
final class SaslLines {
  /** As dbus-daemon has it. The end of the line not counted. */
  static final int MAX_LINE = 16 << 10;

  private final ByteChannel channel;
  private byte[] buffer = new byte[512];
  private int at;
  private int end;

  SaslLines(ByteChannel channel) {
    this.channel = channel;
  }

  /** The next byte, 0 to 255; only for what precedes the lines. */
  int octet() throws IOException {
    if (at == end) {
      fill();
    }
    return buffer[at++] & 0xff;
  }

  /** The next line, without its end; bytes that are not ASCII stand as Latin-1. */
  String line() throws IOException {
    int scanned = at;
    while (true) {
      for (int i = scanned; i + 1 < end; i++) {
        if (buffer[i] == '\r' && buffer[i + 1] == '\n') {
          int from = at;
          at = i + 2;
          return new String(buffer, from, i - from, StandardCharsets.ISO_8859_1);
        }
      }
      int seen = end - at;
      if (seen > MAX_LINE + 1) {
        throw new AuthenticationException("a line over " + MAX_LINE + " bytes");
      }
      fill();
      // A CR that was the last byte may have got its LF; filling may have moved all to the front.
      scanned = at + Math.max(0, seen - 1);
    }
  }

  /** Writes one line; {@code line} has no end yet. */
  void send(String line) throws IOException {
    sendRaw(line + "\r\n");
  }

  void sendRaw(String text) throws IOException {
    ByteBuffer bytes = ByteBuffer.wrap(text.getBytes(StandardCharsets.ISO_8859_1));
    while (bytes.hasRemaining()) {
      channel.write(bytes);
    }
  }

  /** What was read after the last line. */
  ByteBuffer leftOver() {
    return ByteBuffer.wrap(Arrays.copyOfRange(buffer, at, end));
  }

  private void fill() throws IOException {
    if (at > 0) {
      System.arraycopy(buffer, at, buffer, 0, end - at);
      end -= at;
      at = 0;
    }
    if (end == buffer.length) {
      buffer = Arrays.copyOf(buffer, Math.min(2 * end, MAX_LINE + 2));
    }
    int n = channel.read(ByteBuffer.wrap(buffer, end, buffer.length - end));
    if (n < 0) {
      throw new AuthenticationException("the stream ended before authentication was complete");
    }
    if (n == 0) {
      throw new IOException("a read brought nothing: the channel does not block");
    }
    end += n;
  }
}
