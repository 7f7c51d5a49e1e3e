package org.tpforward.socket;

import java.io.EOFException;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import org.tpforward.relay.Duplex;

/** Short texts through a stream. */
final class Bytes {
  private Bytes() {}

  static void send(Duplex to, String text) throws IOException {
    to.write(ByteBuffer.wrap(text.getBytes(StandardCharsets.ISO_8859_1)));
  }

  static String receive(Duplex from, int length) throws IOException {
    ByteBuffer buffer = ByteBuffer.allocate(length);
    while (buffer.hasRemaining()) {
      if (from.read(buffer) < 0) {
        throw new EOFException("after " + buffer.position() + " bytes of " + length);
      }
    }
    return new String(buffer.array(), StandardCharsets.ISO_8859_1);
  }
}
