package org.tpforward.agent.link;

import java.time.Duration;
import org.jspecify.annotations.Nullable;

/**
 * How long the link waits for what. All are positive.
 *
 * @param connect for the connection and the key exchange, where the configuration has no
 *     ConnectTimeout; the time a user takes to answer does not count
 * @param authenticate for the server's answers to all keys and passwords; a user's time does not
 *     count here either
 * @param channel for the server's answer to one channel open
 * @param exec for one command on the server
 * @param open how long {@link SshLink#open} waits for a link that is down
 * @param firstRetry the wait before the first try to connect again; each further one is twice as
 *     long, give or take a quarter
 * @param longestRetry the longest such wait
 * @param keepAlive the interval of keep-alive requests, or null for the configuration's
 *     ServerAliveInterval, which is 15 s here where it is not set
 */
public record LinkTimes(
    Duration connect,
    Duration authenticate,
    Duration channel,
    Duration exec,
    Duration open,
    Duration firstRetry,
    Duration longestRetry,
    @Nullable Duration keepAlive) {

  /** What the agent uses. */
  public static final LinkTimes DEFAULT =
      new LinkTimes(
          Duration.ofSeconds(30),
          Duration.ofSeconds(60),
          Duration.ofSeconds(30),
          Duration.ofSeconds(20),
          Duration.ofSeconds(30),
          Duration.ofSeconds(1),
          Duration.ofSeconds(60),
          null);
}
