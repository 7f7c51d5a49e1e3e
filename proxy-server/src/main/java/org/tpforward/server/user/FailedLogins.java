package org.tpforward.server.user;

import com.google.common.cache.CacheBuilder;
import com.google.common.cache.CacheLoader;
import com.google.common.cache.LoadingCache;
import com.google.common.util.concurrent.RateLimiter;
import java.net.Inet6Address;
import java.net.InetAddress;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.Arrays;

/**
 * Slows down who tries keys in vain, by address; of IPv6 by network, since one machine has
 * thousands of millions of addresses there. An address that never fails costs nothing.
 */
final class FailedLogins {
  /** Tries a second; ssh itself offers a handful of keys at once, for which there is a second's. */
  private static final double RATE = 5;

  /** Who has to wait longer is disconnected. */
  private static final Duration LONGEST = Duration.ofSeconds(5);

  private static final Duration REMEMBERED = Duration.ofMinutes(10);
  private static final int MOST_ADDRESSES = 10_000;
  private static final int NETWORK_BYTES = 8;

  private final LoadingCache<ByteBuffer, RateLimiter> limiters =
      CacheBuilder.newBuilder()
          .maximumSize(MOST_ADDRESSES)
          .expireAfterAccess(REMEMBERED)
          .build(CacheLoader.from(() -> RateLimiter.create(RATE)));

  /**
   * A try has failed: waits as long as its address has to. Blocks the connection's own thread.
   *
   * @return false if that would be too long, and the connection shall end
   */
  boolean slowDown(InetAddress address) {
    return limiters.getUnchecked(network(address)).tryAcquire(LONGEST);
  }

  private static ByteBuffer network(InetAddress address) {
    byte[] bytes = address.getAddress();
    return ByteBuffer.wrap(
        address instanceof Inet6Address ? Arrays.copyOf(bytes, NETWORK_BYTES) : bytes);
  }
}
