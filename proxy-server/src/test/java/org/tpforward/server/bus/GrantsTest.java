package org.tpforward.server.bus;

import static java.util.Objects.requireNonNull;
import static org.assertj.core.api.Assertions.assertThat;

import java.util.HashSet;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.tpforward.socket.Endpoint;
import org.tpforward.telepathy.AccessControl;

class GrantsTest {
  private final Set<String> gone = new HashSet<>();
  private final Grants grants = new Grants(gone::contains);

  private static Grant grant(String path, String owner, String channel) {
    return new Grant(new Endpoint.UnixPath(path), AccessControl.LOCALHOST, owner, 1, 2, channel);
  }

  @Test
  void theyAreBounded() {
    Grants.Claim claim = grants.claim("/c", Grants.NO_TUBE);
    for (int i = 0; i < Grants.MAX; i++) {
      assertThat(grants.grant(claim, grant("/" + i, ":1.1", "/c"), Grants.Listener.CM)).isNotNull();
    }
    assertThat(grants.grant(claim, grant("/more", ":1.1", "/c"), Grants.Listener.CM)).isNull();
    grants.closed(":1.1", "/c");
    assertThat(grants.size()).isZero();
    grants.release(claim);
    assertThat(grants.claimed()).isZero();
  }

  @Test
  void theSameTwiceIsOne() {
    Grants.Claim claim = grants.claim("/c", Grants.NO_TUBE);
    Grants.Entry first = grants.grant(claim, grant("/s", ":1.1", "/c"), Grants.Listener.CM);
    assertThat(grants.grant(claim, grant("/s", ":1.1", "/c"), Grants.Listener.CM)).isSameAs(first);
    assertThat(grants.size()).isOne();
  }

  @Test
  void whatEndsWhileACallIsUnderWayIsNotGranted() {
    Grants.Claim channel = grants.claim("/c", Grants.NO_TUBE);
    Grants.Claim tube = grants.claim("/c", 7);
    Grants.Claim other = grants.claim("/c", 8);
    grants.tubeClosed(":1.1", "/c", 7);
    assertThat(grants.grant(tube, grant("/s", ":1.1", "/c"), Grants.Listener.CM)).isNull();
    assertThat(grants.grant(other, grant("/s", ":1.1", "/c"), Grants.Listener.CM)).isNotNull();
    grants.closed(":1.1", "/c");
    assertThat(grants.grant(channel, grant("/s", ":1.1", "/c"), Grants.Listener.CM)).isNull();
    assertThat(grants.grant(channel, grant("/s", ":1.2", "/c"), Grants.Listener.CM)).isNotNull();
    gone.add(":1.2");
    assertThat(grants.grant(channel, grant("/t", ":1.2", "/c"), Grants.Listener.CM)).isNull();
    grants.left(":1.2");
    assertThat(grants.size()).isZero();
  }

  @Test
  void anOfferedTubeThatClosedBeforeItsIdWasReadIsNone() {
    Grants.Claim claim = grants.claim("/c", Grants.NO_TUBE);
    Grants.Entry entry =
        requireNonNull(grants.grant(claim, grant("/s", ":1.1", "/c"), Grants.Listener.CLIENT));
    Grants.Entry other =
        requireNonNull(grants.grant(claim, grant("/s", ":1.1", "/c"), Grants.Listener.CLIENT));
    grants.tubeClosed(":1.1", "/c", 5);
    grants.tubeClosed(":1.2", "/c", 6);
    grants.tube(claim, other, 6);
    assertThat(grants.size()).isEqualTo(2);
    grants.tube(claim, entry, 5);
    assertThat(grants.size()).isOne();
    grants.remove(entry);
    assertThat(grants.at(new Endpoint.UnixPath("/s"), Grants.Listener.CLIENT)).hasSize(1);
  }
}
