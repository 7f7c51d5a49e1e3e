package org.tpforward.relay;

import java.io.IOException;
import java.nio.channels.SelectionKey;
import java.nio.channels.SocketChannel;

/** A thread that waits for a socket, and can wait for others with it. */
public interface EventLoop {
  /**
   * Calls a listener whenever the channel can be read, until the key is cancelled, the channel
   * closed, or this thread over.
   *
   * @param channel in non-blocking mode
   * @param listener must not wait; an exception of its ends the key, and nothing else
   */
  SelectionKey register(SocketChannel channel, Runnable listener) throws IOException;

  /** To be called once a key is cancelled: a closed channel keeps its descriptor until then. */
  void forget();
}
