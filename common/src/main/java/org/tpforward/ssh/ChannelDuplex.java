package org.tpforward.ssh;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.ClosedChannelException;
import org.tpforward.relay.Duplex;

/** A channel as the rest of the program sees it. */
final class ChannelDuplex implements Duplex {
  private final StreamChannel channel;

  ChannelDuplex(StreamChannel channel) {
    this.channel = channel;
  }

  @Override
  public boolean suitsVirtualThreads() {
    return true;
  }

  @Override
  public int read(ByteBuffer dst) throws IOException {
    return channel.read(dst);
  }

  @Override
  public boolean canAwait() {
    return true;
  }

  @Override
  public boolean awaitReadable(long millis) throws IOException {
    return channel.awaitReadable(millis, null);
  }

  @Override
  public boolean awaitReadable(long millis, Receiver receiver) throws IOException {
    return channel.awaitReadable(millis, receiver);
  }

  @Override
  public int write(ByteBuffer src) throws IOException {
    if (channel.isEnded()) {
      throw new ClosedChannelException();
    }
    return channel.write(src);
  }

  @Override
  public void shutdownOutput() throws IOException {
    if (channel.isEnded()) {
      throw new ClosedChannelException();
    }
    channel.shutdownOutput();
  }

  @Override
  public boolean isOpen() {
    return !channel.isEnded();
  }

  @Override
  public void close() {
    channel.end(true);
  }

  @Override
  public void reset() {
    channel.end(false);
  }

  @Override
  public String toString() {
    return channel.getChannelType() + " " + channel.getChannelId();
  }
}
