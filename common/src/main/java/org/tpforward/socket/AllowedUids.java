package org.tpforward.socket;

import java.util.HashSet;
import java.util.Set;
import java.util.TreeSet;

/**
 * Who may use a local socket: checked by who the kernel says that the peer is, not by file modes.
 * Root is another user too, unless this process runs as root.
 *
 * @param uids user ids, 0 to 4294967294
 */
public record AllowedUids(Set<Long> uids) {
  public AllowedUids {
    for (long uid : uids) {
      if (uid < 0 || uid >= Uids.NONE) {
        throw new IllegalArgumentException("no user id: " + uid);
      }
    }
    uids = Set.copyOf(uids);
  }

  /** This process's own (effective) user only. */
  public static AllowedUids own() {
    return new AllowedUids(Set.of(Uids.own()));
  }

  /** The same and others. */
  public AllowedUids and(Set<Long> others) {
    Set<Long> all = new HashSet<>(uids);
    all.addAll(others);
    return new AllowedUids(all);
  }

  /** The same and one other. */
  public AllowedUids with(long uid) {
    return and(Set.of(uid));
  }

  /** Whether that peer may stay. A peer of whom nothing is known may not. */
  public boolean allows(PeerCredentials peer) {
    return peer.isKnown() && uids.contains(peer.uid());
  }

  @Override
  public String toString() {
    return "uids " + new TreeSet<>(uids);
  }
}
