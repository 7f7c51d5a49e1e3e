package org.tpforward.agent.forward;

/** What a stream belongs to: a forward, or an offering. */
interface StreamOwner {
  /** The stream has ended; called once for each. */
  void ended(Stream stream);

  /** A channel has been opened for a stream of this owner. */
  void channelOpened();
}
