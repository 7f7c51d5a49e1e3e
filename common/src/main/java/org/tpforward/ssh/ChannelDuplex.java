package org.tpforward.ssh;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.ClosedChannelException;
import org.jspecify.annotations.Nullable;
import org.tpforward.relay.EventLoop;
import org.tpforward.relay.Eventful;

/** A channel as the rest of the program sees it. */
final class ChannelDuplex implements Eventful {
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
  public boolean canBeWatched() {
    return channel.transport() != null;
  }

  @Override
  public @Nullable EventLoop loop() {
    return channel.transport();
  }

  @Override
  public void watch(EventLoop loop, Runnable listener) {
    channel.watch(listener);
    listener.run();
  }

  @Override
  public void unwatch() {
    channel.watch(null);
  }

  @Override
  public void toBlocking() {
    unwatch(); // The waiting is done by who reads; nothing else differs.
  }

  @Override
  public int readNow(ByteBuffer dst) throws IOException {
    return channel.readNow(dst);
  }

  @Override
  public int roomNow() {
    return channel.roomNow();
  }

  @Override
  public int writeNow(ByteBuffer src) throws IOException {
    if (channel.isEnded()) {
      throw new ClosedChannelException();
    }
    return channel.writeNow(src);
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
