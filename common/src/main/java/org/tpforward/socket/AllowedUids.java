package org.tpforward.socket;

import java.util.LinkedHashSet;
import java.util.Set;
import java.util.TreeSet;

/**
 * Who may use a local socket: checked by who the kernel says that the peer is, not by file modes.
 * Root is another user too, unless this process runs as root.
 */
public record AllowedUids(Set<Long> uids) {
  public AllowedUids {
    uids = Set.copyOf(uids);
  }

  /** This process's own user only. */
  public static AllowedUids own() {
    return new AllowedUids(Set.of(Uids.own()));
  }

  /** The same and others. */
  public AllowedUids and(Set<Long> others) {
    Set<Long> all = new LinkedHashSet<>(uids);
    all.addAll(others);
    return new AllowedUids(all);
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
