package org.tpforward.server.bus;

import java.io.IOException;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.tpforward.dbus.Body;
import org.tpforward.dbus.Header;
import org.tpforward.dbus.MessageReader;
import org.tpforward.dbus.MessageWriter;
import org.tpforward.dbus.ProtocolException;
import org.tpforward.dbus.Value;

/**
 * A message on its way, whose body is read only if somebody asks for it; others pass in pieces. For
 * the one thread that reads its direction.
 */
final class Message {
  /**
   * The most that a message which is looked into may have, in bytes; decoded it may take twenty
   * times the memory.
   */
  static final int MAX_READ = 1 << 20;

  private final Header header;
  private final MessageReader from;
  private byte @Nullable [] body;

  /**
   * @param from has just read the header
   */
  Message(Header header, MessageReader from) {
    this.header = header;
    this.from = from;
  }

  Header header() {
    return header;
  }

  /** Whether it is longer than what is ever looked into; its arguments cannot be had then. */
  boolean isTooLong() {
    return header.bodyLength() > MAX_READ;
  }

  /**
   * The arguments.
   *
   * @throws ProtocolException if they are malformed, or the message {@link #isTooLong}
   */
  List<Value> arguments() throws IOException {
    if (body == null) {
      body = from.readBody(MAX_READ);
    }
    return Body.decode(header.signature(), header.order(), body);
  }

  /** Writes it as it came. */
  void passTo(MessageWriter to) throws IOException {
    if (body == null) {
      to.pass(header, from);
    } else {
      to.write(header, body);
    }
  }

  /** Lets it go no further. */
  void drop() throws IOException {
    if (body == null) {
      from.skipBody();
    }
  }
}
