package org.tpforward.bench.micro;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.channels.Channels;
import java.util.Arrays;
import org.tpforward.dbus.Header;
import org.tpforward.dbus.MessageWriter;

/** Messages as the bytes that go over the wire. */
final class Messages {
  private Messages() {}

  /** A whole message. */
  static byte[] bytes(Header.Builder header, byte[] body) {
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    MessageWriter writer = new MessageWriter(Channels.newChannel(out));
    try {
      writer.write(header.build(body.length), body);
      writer.flush();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    return out.toByteArray();
  }

  /** Its header alone. */
  static byte[] header(Header.Builder header, byte[] body) {
    byte[] message = bytes(header, body);
    return Arrays.copyOf(message, message.length - body.length);
  }
}
