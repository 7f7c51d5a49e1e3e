package org.tpforward.dbus;

import java.io.EOFException;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.ReadableByteChannel;
import java.nio.channels.WritableByteChannel;
import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/**
 * Cuts a stream of bytes into messages. After {@link #next} comes exactly one of {@link #readBody},
 * {@link #copyBody}, {@link #skipBody} or {@link MessageWriter#pass} (or, for a body of length 0,
 * none), then {@code next} again.
 *
 * <p>Headers are validated, bodies are not. One read from the channel takes whatever is there, many
 * messages or a part of one; a body that passes through costs no more than the buffer, which grows
 * from 4 to 64 KiB with the traffic and shrinks again: hundreds of idle connections must be cheap.
 *
 * <p>For one thread at a time. Whoever made the channel closes it. After an exception the stream is
 * at no known place, and the reader of no use.
 */
public final class MessageReader {
  private final ReadableByteChannel in;
  private final BufferSize size = new BufferSize();

  // Unread bytes are buffer[at..end). The two views are of the same array.
  private byte[] buffer = new byte[BufferSize.MIN];
  private ByteBuffer fillView = ByteBuffer.wrap(buffer);
  private ByteBuffer drainView = ByteBuffer.wrap(buffer);
  private int at;
  private int end;
  private int bodyLeft;

  /**
   * @param in blocking: a read returns at least one byte, or -1 at the end
   */
  public MessageReader(ReadableByteChannel in) {
    this.in = in;
  }

  /**
   * @param in as above
   * @param leftOver bytes that were read from the channel already, with or after the last line of
   *     SASL; taken over
   */
  public MessageReader(ReadableByteChannel in, ByteBuffer leftOver) {
    this.in = in;
    int n = leftOver.remaining();
    if (n > buffer.length) {
      resize(n);
    }
    leftOver.get(buffer, 0, n);
    end = n;
  }

  /**
   * Waits for the next message and reads its header.
   *
   * @return null at the end of the stream, if that is between two messages
   * @throws ProtocolException if it is no valid header
   * @throws EOFException if the stream ends within the header
   * @throws IllegalStateException if the last message's body has not been read
   */
  public @Nullable Header next() throws IOException {
    if (bodyLeft > 0) {
      throw new IllegalStateException("the last body has not been read");
    }
    if (!need(Header.FIXED)) {
      if (at == end) {
        return null;
      }
      throw cutShort("header");
    }
    int length = Header.lengthAt(buffer, at);
    Header header = Header.parseOwned(bytes(length, "header"));
    bodyLeft = header.bodyLength();
    return header;
  }

  /**
   * Whether a whole further message is in the buffer, so that {@link #next} and reading its body
   * will not wait. If not, this is the moment to flush what was written.
   */
  public boolean hasBuffered() {
    return Header.wholeAt(buffer, at, end);
  }

  /**
   * Reads the body into an array of its own. Memory is taken as the bytes come, not as the header
   * promises.
   *
   * @param max in bytes; a longer body is left unread, and may still be copied or skipped
   * @throws ProtocolException if the body is longer than {@code max}
   * @throws EOFException if the stream ends within it
   */
  public byte[] readBody(int max) throws IOException {
    if (bodyLeft > max) {
      throw new ProtocolException("body of " + bodyLeft + " bytes, the limit here is " + max);
    }
    byte[] body = bytes(bodyLeft, "body");
    bodyLeft = 0;
    return body;
  }

  /**
   * Writes the body to {@code out} as it comes, in pieces of at most 64 KiB.
   *
   * @throws EOFException if the stream ends within it
   */
  public void copyBody(WritableByteChannel out) throws IOException {
    while (bodyLeft > 0) {
      int n = awaitBody();
      ByteBuffer piece = drainView.limit(at + n).position(at);
      while (piece.hasRemaining()) {
        out.write(piece);
      }
      consume(n);
    }
  }

  /**
   * Reads the body and forgets it.
   *
   * @throws EOFException if the stream ends within it
   */
  public void skipBody() throws IOException {
    while (bodyLeft > 0) {
      consume(awaitBody());
    }
  }

  /** How much of the body is still to come, in bytes. */
  int bodyLeft() {
    return bodyLeft;
  }

  /** How much of the body is in the buffer. */
  int bodyBuffered() {
    return Math.min(bodyLeft, end - at);
  }

  /** Waits until some of the body is in the buffer; how much. There must be some left. */
  int awaitBody() throws IOException {
    if (at == end && !fill(Math.min(bodyLeft, BufferSize.MAX))) {
      throw cutShort("body");
    }
    return bodyBuffered();
  }

  /** The buffered part of the body starts at {@link #position} of this; not to be changed. */
  byte[] buffer() {
    return buffer;
  }

  int position() {
    return at;
  }

  /** Takes {@code n} bytes of the body as read. */
  void consume(int n) {
    at += n;
    bodyLeft -= n;
  }

  /** The next {@code length} bytes, in an array of their own. */
  private byte[] bytes(int length, String what) throws IOException {
    if (length <= BufferSize.MAX) {
      // Through the buffer: the same read may bring the messages that follow.
      if (!need(length)) {
        throw cutShort(what);
      }
      byte[] bytes = Arrays.copyOfRange(buffer, at, at + length);
      at += length;
      return bytes;
    }
    int have = Math.min(end - at, length);
    byte[] bytes =
        Arrays.copyOf(Arrays.copyOfRange(buffer, at, at + have), Math.max(have, BufferSize.MAX));
    at += have;
    while (have < length) {
      if (have == bytes.length) {
        bytes = Arrays.copyOf(bytes, (int) Math.min(length, 2L * have));
      }
      int n = read(ByteBuffer.wrap(bytes, have, Math.min(bytes.length, length) - have));
      if (n < 0) {
        throw cutShort(what);
      }
      have += n;
    }
    return bytes;
  }

  /** Reads until {@code n} bytes are in the buffer, at most 64 KiB; false if the stream ends. */
  private boolean need(int n) throws IOException {
    while (end - at < n) {
      if (!fill(n)) {
        return false;
      }
    }
    return true;
  }

  /**
   * Reads once, at least a byte; false if the stream ends.
   *
   * @param least how long the buffer must be, what is in it included
   */
  private boolean fill(int least) throws IOException {
    int wanted = Math.max(size.next(buffer.length), BufferSize.roundUp(least));
    if (wanted != buffer.length && end - at < wanted) {
      resize(wanted);
    } else if (at > 0) {
      System.arraycopy(buffer, at, buffer, 0, end - at);
      end -= at;
      at = 0;
    }
    int n = read(fillView.limit(buffer.length).position(end));
    if (n < 0) {
      return false;
    }
    end += n;
    size.used(end);
    return true;
  }

  private int read(ByteBuffer target) throws IOException {
    int n = in.read(target);
    if (n == 0) {
      throw new IOException("a read brought nothing: the channel does not block");
    }
    return n;
  }

  private void resize(int length) {
    byte[] resized = new byte[BufferSize.roundUp(length)];
    System.arraycopy(buffer, at, resized, 0, end - at);
    end -= at;
    at = 0;
    buffer = resized;
    fillView = ByteBuffer.wrap(resized);
    drainView = ByteBuffer.wrap(resized);
  }

  private static EOFException cutShort(String what) {
    return new EOFException("the stream ends within a message's " + what);
  }
}
