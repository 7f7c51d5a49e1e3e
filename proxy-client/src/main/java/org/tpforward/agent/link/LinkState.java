package org.tpforward.agent.link;

import java.time.Instant;
import org.jspecify.annotations.Nullable;

/** How the link is, for those who show it. */
public sealed interface LinkState {
  /** The first connection, or a further one, is being made. */
  record Connecting() implements LinkState {}

  /**
   * Channels can be opened.
   *
   * @param since when it came up
   */
  record Up(Instant since) implements LinkState {}

  /**
   * It is lost, or was never there.
   *
   * @param reason one line
   * @param nextTry when it is tried again, or null if it is not
   */
  record Down(String reason, @Nullable Instant nextTry) implements LinkState {}

  /** Closed by this side; for good. */
  record Closed() implements LinkState {}
}
