package org.tpforward.socket;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.Set;
import org.junit.jupiter.api.Test;

class AllowedUidsTest {
  @Test
  void rootIsAnotherUserUnlessItIsNamed() {
    AllowedUids allowed = new AllowedUids(Set.of(1000L));
    assertThat(allowed.allows(user(1000))).isTrue();
    assertThat(allowed.allows(user(0))).isFalse();
    assertThat(allowed.with(0).allows(user(0))).isTrue();
    assertThat(allowed.and(Set.of(1L, 2L)).uids()).containsExactlyInAnyOrder(1L, 2L, 1000L);
  }

  @Test
  void nobodyIsNeverAllowed() {
    assertThat(AllowedUids.own().allows(user(PeerCredentials.NOBODY))).isFalse();
    for (long none : new long[] {PeerCredentials.NOBODY, 0xffff_ffffL, 1L << 32}) {
      assertThatThrownBy(() -> AllowedUids.own().with(none))
          .isInstanceOf(IllegalArgumentException.class);
    }
  }

  private static PeerCredentials user(long uid) {
    return new PeerCredentials(uid, PeerCredentials.UNKNOWN, PeerCredentials.UNKNOWN);
  }
}
