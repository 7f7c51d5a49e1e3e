package org.tpforward.relay;

import java.io.IOException;
import java.nio.ByteBuffer;

/**
 * Passes every call on to another stream. Who overrides {@link #read} sees to what {@link
 * #awaitReadable(long, Receiver)} gives away instead, and who overrides {@link #write} to {@link
 * #writeNow}.
 */
public abstract class ForwardingDuplex implements Duplex {
  private final Duplex inner;

  /**
   * Wraps a stream.
   *
   * @param inner is closed with this one
   */
  protected ForwardingDuplex(Duplex inner) {
    this.inner = inner;
  }

  @Override
  public int read(ByteBuffer dst) throws IOException {
    return inner.read(dst);
  }

  @Override
  public boolean canAwait() {
    return inner.canAwait();
  }

  @Override
  public boolean awaitReadable(long millis) throws IOException {
    return inner.awaitReadable(millis);
  }

  @Override
  public boolean awaitReadable(long millis, Receiver receiver) throws IOException {
    return inner.awaitReadable(millis, receiver);
  }

  @Override
  public boolean suitsVirtualThreads() {
    return inner.suitsVirtualThreads();
  }

  @Override
  public int write(ByteBuffer src) throws IOException {
    return inner.write(src);
  }

  @Override
  public int writeNow(byte[] bytes, int offset, int length) {
    return inner.writeNow(bytes, offset, length);
  }

  @Override
  public void shutdownOutput() throws IOException {
    inner.shutdownOutput();
  }

  @Override
  public boolean isOpen() {
    return inner.isOpen();
  }

  @Override
  public void close() {
    inner.close();
  }

  @Override
  public void reset() {
    inner.reset();
  }

  @Override
  public String toString() {
    return inner.toString();
  }
}
