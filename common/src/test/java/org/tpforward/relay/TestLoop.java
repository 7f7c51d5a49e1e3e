package org.tpforward.relay;

import java.io.IOException;
import java.nio.channels.ClosedSelectorException;
import java.nio.channels.SelectionKey;
import java.nio.channels.Selector;
import java.nio.channels.SocketChannel;

/** The thread of a test that waits for sockets. */
final class TestLoop implements EventLoop, AutoCloseable {
  private final Selector selector;

  TestLoop() throws IOException {
    selector = Selector.open();
    Thread.ofPlatform().daemon().name("test loop").start(this::loop);
  }

  private void loop() {
    try {
      while (selector.isOpen()) {
        selector.select(key -> ((Runnable) key.attachment()).run());
      }
    } catch (ClosedSelectorException e) {
      // The test is over.
    } catch (IOException e) {
      throw new AssertionError(e);
    }
  }

  @Override
  public SelectionKey register(SocketChannel channel, Runnable listener) throws IOException {
    SelectionKey key = channel.register(selector, SelectionKey.OP_READ, listener);
    selector.wakeup();
    return key;
  }

  @Override
  public void forget() {
    selector.wakeup();
  }

  @Override
  public void close() throws IOException {
    selector.close();
  }
}
