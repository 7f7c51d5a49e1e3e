package org.tpforward.server.channel;

import com.google.errorprone.annotations.concurrent.GuardedBy;

/**
 * The channels of all users together. A user may have twice as many as are left, and no more: one
 * alone gets two thirds of all, two get two fifths each, and whoever comes next, however greedy the
 * others are, finds some left. For any number of threads.
 */
final class ChannelPool {
  @GuardedBy("this")
  private int left;

  ChannelPool(int all) {
    this.left = all;
  }

  /**
   * Takes one, which {@link #giveBack} returns; false if there is none for this user.
   *
   * @param has how many the user has taken already
   */
  synchronized boolean take(int has) {
    if (has >= 2L * left) {
      return false;
    }
    left--;
    return true;
  }

  synchronized void giveBack() {
    left++;
  }
}
