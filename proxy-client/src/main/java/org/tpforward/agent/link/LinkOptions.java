package org.tpforward.agent.link;

import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * What the command line says about the link.
 *
 * @param destination where to
 * @param configFile ssh's {@code -F}: a file instead of the user's and the system's, {@code none}
 *     for no file, or null
 * @param identities ssh's {@code -i}: key files, tried before those of the configuration
 * @param port ssh's {@code -p}: 1 to 65535, or 0
 * @param options ssh's {@code -o}: {@code Name=value} or {@code Name value}; the first one of a
 *     name counts, and before any file
 * @param reconnect whether a lost link is made again
 * @param interactive whether the first connection may ask the user something; one that is made
 *     again never does
 */
public record LinkOptions(
    Destination destination,
    @Nullable String configFile,
    List<String> identities,
    int port,
    List<String> options,
    boolean reconnect,
    boolean interactive) {

  /** Copies the lists. */
  public LinkOptions {
    identities = List.copyOf(identities);
    options = List.copyOf(options);
    if (port < 0 || port > 65535) {
      throw new IllegalArgumentException("not a port: " + port);
    }
  }

  /** The destination with everything else as ssh would have it. */
  public static LinkOptions of(Destination destination) {
    return new LinkOptions(destination, null, List.of(), 0, List.of(), true, true);
  }
}
