package org.tpforward.dbus;

import java.io.ByteArrayOutputStream;
import java.nio.ByteBuffer;
import java.nio.channels.ByteChannel;
import java.nio.channels.ClosedChannelException;
import java.nio.charset.StandardCharsets;

/** A peer that says what it has to say whatever it is told, in pieces of a given size. */
final class ScriptedChannel implements ByteChannel {
  private final ByteBuffer input;
  private final int piece;
  private final ByteArrayOutputStream output = new ByteArrayOutputStream();
  private boolean open = true;
  int reads;
  int writes;
  int largest;

  ScriptedChannel(byte[] input, int piece) {
    this.input = ByteBuffer.wrap(input);
    this.piece = piece;
  }

  ScriptedChannel(byte[] input) {
    this(input, Integer.MAX_VALUE);
  }

  ScriptedChannel(String input, int piece) {
    this(input.getBytes(StandardCharsets.ISO_8859_1), piece);
  }

  @Override
  public int read(ByteBuffer target) throws ClosedChannelException {
    if (!open) {
      throw new ClosedChannelException();
    }
    if (!input.hasRemaining()) {
      return -1;
    }
    int n = Math.min(Math.min(piece, target.remaining()), input.remaining());
    target.put(input.slice(input.position(), n));
    input.position(input.position() + n);
    reads++;
    return n;
  }

  @Override
  public int write(ByteBuffer source) throws ClosedChannelException {
    if (!open) {
      throw new ClosedChannelException();
    }
    int n = source.remaining();
    writes++;
    largest = Math.max(largest, n);
    byte[] bytes = new byte[n];
    source.get(bytes);
    output.writeBytes(bytes);
    return n;
  }

  byte[] written() {
    return output.toByteArray();
  }

  String said() {
    return output.toString(StandardCharsets.ISO_8859_1);
  }

  @Override
  public boolean isOpen() {
    return open;
  }

  @Override
  public void close() {
    open = false;
  }
}
