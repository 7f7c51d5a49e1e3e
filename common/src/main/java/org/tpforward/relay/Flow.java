package org.tpforward.relay;

/** Two streams that are pumped into each other, as who counts them and may end them sees it. */
public interface Flow {
  /** Bytes that went from the near end to the far one. */
  long bytesFromNear();

  /** Bytes that went from the far end to the near one. */
  long bytesFromFar();

  /**
   * Breaks off from any thread: both streams are reset, and whatever waits in a stream or a hook is
   * woken. Does not wait for them.
   */
  void abort(String why);
}
