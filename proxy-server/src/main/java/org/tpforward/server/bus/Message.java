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
   * The most that a call which is looked into may have, in bytes, and so may a reply that hands out
   * a socket. Decoded it may take twenty times the memory, and a user may have many connections.
   */
  static final int MAX_CALL = 64 << 10;

  /** The same for what the bus itself says: ten thousand names. */
  static final int MAX_READ = 1 << 20;

  private final Header header;
  private final MessageReader from;
  private final int max;
  private byte @Nullable [] body;

  /**
   * @param from has just read the header
   * @param max bytes of a body that may be looked into
   */
  Message(Header header, MessageReader from, int max) {
    this.header = header;
    this.from = from;
    this.max = max;
  }

  Header header() {
    return header;
  }

  /** Whether it is longer than what is ever looked into; its arguments cannot be had then. */
  boolean isTooLong() {
    return header.bodyLength() > max;
  }

  /**
   * The arguments.
   *
   * @throws ProtocolException if they are malformed, or the message {@link #isTooLong}
   */
  List<Value> arguments() throws IOException {
    if (body == null) {
      body = from.readBody(max);
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
