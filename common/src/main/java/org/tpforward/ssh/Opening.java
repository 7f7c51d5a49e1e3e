package org.tpforward.ssh;

import java.io.IOException;
import org.tpforward.relay.Duplex;

/**
 * What becomes of a channel that nobody waits for. One of the two is called, once, in the thread
 * that learns of it, which must not wait: MINA's reading thread, most of the time.
 */
public interface Opening {
  /** It is open; the stream is the callee's to close. */
  void opened(Duplex stream);

  /**
   * It is not.
   *
   * @param why a {@link ChannelOpenFailedException} if the server refused
   */
  void failed(IOException why);
}
