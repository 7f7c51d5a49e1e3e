package org.tpforward.agent.telepathy;

import org.jspecify.annotations.Nullable;

/** Who is told what happens to a tube. For any number of threads. */
public interface TubeReport {
  /** It is not open yet: what is waited for. */
  void waiting(String line);

  /** It is open. */
  void open(Tube tube);

  /** A connection of a rightful client has reached the service. */
  void connected(int number);

  /**
   * A connection has ended.
   *
   * @param received bytes from the contact
   * @param sent bytes to the contact
   * @param reason why, if it did not end in order
   */
  void ended(int number, long received, long sent, @Nullable String reason);

  /** Somebody was not let in, or did not get through. */
  void refused(String line);

  /** The tube has ended. */
  void closed(Tube tube, String line);
}
