package org.tpforward.server.channel;

/**
 * What there may be at once.
 *
 * @param logins SSH connections of one user
 * @param channels of one user over all logins: open or being opened, in either direction
 * @param listeners of one user, for offered tubes
 * @param allChannels of all users together; see {@link ChannelPool} for what one may have of them
 */
public record Limits(int logins, int channels, int listeners, int allChannels) {
  /** Bytes: what the peer of a channel may at the least send unread. */
  private static final long LEAST = 64 << 10;

  /** So that no number of users who let their channels fill up takes more than half of the heap. */
  public static int channelsThatFit() {
    return Math.clamp(Runtime.getRuntime().maxMemory() / 2 / LEAST, 64, 1 << 20);
  }
}
