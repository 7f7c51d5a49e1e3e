package org.tpforward.agent.link;

/**
 * Is told when the link comes and goes. Calls come one after another, from threads of the link's
 * own: return soon, and do not open a channel in the call.
 */
public interface LinkListener {
  /** Channels can be opened again, or for the first time. */
  default void onUp() {}

  /**
   * The link is lost. Of a connection that breaks this is called <em>before</em> its channels'
   * readers and writers get their exception, so that a listener can mark what follows as a loss.
   *
   * @param reason one line
   */
  default void onDown(String reason) {}
}
