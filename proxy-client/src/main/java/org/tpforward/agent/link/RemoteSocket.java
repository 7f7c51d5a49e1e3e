package org.tpforward.agent.link;

import org.tpforward.socket.Endpoint;

/**
 * A socket that listens on the server for this side. Its end, and its file's, is {@link #close}.
 */
public interface RemoteSocket extends AutoCloseable {
  /** Where it listens, as the server sees it; with the port that the server chose. */
  Endpoint endpoint();

  /** Stops listening and removes a path. Does not wait for the server; idempotent. */
  @Override
  void close();
}
