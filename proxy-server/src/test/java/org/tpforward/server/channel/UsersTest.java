package org.tpforward.server.channel;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIOException;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.file.Path;
import java.util.Objects;
import java.util.concurrent.FutureTask;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.tpforward.relay.Threads;
import org.tpforward.socket.Connection;
import org.tpforward.socket.Endpoint;
import org.tpforward.socket.Listener;

@Timeout(60)
class UsersTest {
  private static final Limits LIMITS = new Limits(2, 3, 1, 100);

  @TempDir Path directory;

  private static User there(@Nullable User user) {
    assertThat(user).isNotNull();
    return Objects.requireNonNull(user);
  }

  private Endpoint bus() {
    return new Endpoint.UnixPath(directory.resolve("bus").toString());
  }

  @Test
  void loginsOfOneNameAreOneUserWithinLimits() {
    Users users = new Users(LIMITS);
    User first = there(users.enter("alice", bus()));
    assertThat(users.enter("alice", bus())).isSameAs(first);
    assertThat(users.enter("alice", bus())).isNull();
    assertThat(users.enter("bob", bus())).isNotSameAs(first);
    assertThat(users.enter("alice", new Endpoint.UnixPath("/other"))).isNotSameAs(first);
    users.leave("alice", first);
    assertThat(users.enter("alice", bus())).isSameAs(first);
    users.leave("alice", first);
    users.leave("alice", first);
    assertThat(users.enter("alice", bus())).isNotSameAs(first);
  }

  @Test
  void channelsAndListenersAreCounted() {
    User user = new User(bus(), LIMITS, new ChannelPool(LIMITS.allChannels()));
    for (int i = 0; i < LIMITS.channels(); i++) {
      assertThat(user.takeChannel()).isTrue();
    }
    assertThat(user.takeChannel()).isFalse();
    user.giveChannelBack();
    assertThat(user.takeChannel()).isTrue();
    assertThat(user.takeListener()).isTrue();
    assertThat(user.takeListener()).isFalse();
  }

  /** A bug: where there were fewer for all than one might have, one had them all. */
  @Test
  void whatAllHaveTogetherNobodyTakesAlone() {
    Users users = new Users(new Limits(1, 1024, 1, 90));
    User alice = there(users.enter("alice", bus()));
    User bob = there(users.enter("bob", bus()));
    User carol = there(users.enter("carol", bus()));
    assertThat(takeAll(alice)).isEqualTo(60);
    assertThat(takeAll(bob)).isEqualTo(20);
    assertThat(takeAll(alice)).isZero();
    assertThat(takeAll(carol)).isEqualTo(7);
    for (int i = 0; i < 60; i++) {
      alice.giveChannelBack();
    }
    assertThat(takeAll(carol)).isEqualTo(40);
    assertThat(takeAll(alice)).isEqualTo(16);
  }

  private static int takeAll(User user) {
    int taken = 0;
    while (user.takeChannel()) {
      taken++;
    }
    return taken;
  }

  @Test
  void aBusThatIsNotThereIsAskedAgainNextTime() {
    User user = new User(bus(), LIMITS, new ChannelPool(LIMITS.allChannels()));
    assertThatIOException().isThrownBy(user::handedOut);
    assertThatIOException().isThrownBy(user::handedOut).withMessageContaining("bus");
  }

  /** A bug: the last logout waited for a bus that did not answer, and the server's end with it. */
  @Test
  void aBusThatDoesNotAnswerKeepsNobodyFromLeaving() throws Exception {
    Users users = new Users(LIMITS);
    User user = there(users.enter("alice", bus()));
    try (Listener mute = Listener.open(bus())) {
      FutureTask<Object> asking = new FutureTask<>(user::handedOut);
      Threads.start("asks", asking);
      try (Connection held = mute.accept()) {
        users.leave("alice", user);
        assertThat(asking.isDone()).isFalse();
        assertThat(held.isOpen()).isTrue();
      }
      assertThatThrownBy(asking::get).hasMessageContaining("bus");
      assertThatIOException().isThrownBy(user::handedOut).withMessageContaining("logged out");
    }
  }
}
