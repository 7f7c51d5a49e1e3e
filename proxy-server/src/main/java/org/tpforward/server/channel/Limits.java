package org.tpforward.server.channel;

/**
 * What one user may have at once, over all logins.
 *
 * @param logins SSH connections
 * @param channels open or being opened, in either direction
 * @param listeners for offered tubes
 */
public record Limits(int logins, int channels, int listeners) {
  /** Enough for an agent with all its clients. */
  public static final Limits DEFAULT = new Limits(16, 1024, 128);
}
