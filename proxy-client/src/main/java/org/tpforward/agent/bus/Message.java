package org.tpforward.agent.bus;

import java.io.IOException;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.tpforward.dbus.Body;
import org.tpforward.dbus.Header;
import org.tpforward.dbus.ProtocolException;
import org.tpforward.dbus.Value;

/**
 * A message on its way, whose body is read only if somebody asks for it. Used by the one thread
 * that reads its direction.
 */
final class Message {
  /** Where the body comes from. */
  @FunctionalInterface
  interface BodyReader {
    /**
     * Reads the whole body.
     *
     * @throws ProtocolException if it has more than {@code max} bytes
     */
    byte[] read(int max) throws IOException;
  }

  /**
   * The most that a message which carries abilities or addresses may have, in bytes. A thousand of
   * channels fit in; decoded, it may take twenty times the memory. Other messages are not held as a
   * whole and may have all that D-Bus allows.
   */
  static final int MAX_REWRITTEN = 1 << 20;

  private final Header header;
  private final BodyReader reader;
  private byte @Nullable [] body;

  Message(Header header, BodyReader reader) {
    this.header = header;
    this.reader = reader;
  }

  Header header() {
    return header;
  }

  /** Whether it is longer than what is ever rewritten; its arguments cannot be had then. */
  boolean isTooLong() {
    return header.bodyLength() > MAX_REWRITTEN;
  }

  /**
   * The arguments.
   *
   * @throws ProtocolException if they are malformed, or the message {@link #isTooLong}
   */
  List<Value> arguments() throws IOException {
    if (body == null) {
      body = reader.read(MAX_REWRITTEN);
    }
    return Body.decode(header.signature(), header.order(), body);
  }

  /**
   * The first argument of a message that should have exactly that signature; null if it has another
   * one, which is its sender's fault and not the bus's.
   */
  @Nullable Value first(String signature) throws IOException {
    return header.signature().equals(signature) ? arguments().get(0) : null;
  }

  /** The message as it came. */
  Outcome unchanged() {
    return body == null ? Outcome.PASS : new Outcome.Replaced(header, body);
  }

  /** The message with other arguments of the same signature. */
  Outcome with(List<Value> arguments) {
    byte[] encoded = Body.encode(header.order(), arguments);
    return new Outcome.Replaced(header.withBodyLength(encoded.length), encoded);
  }
}
