package org.tpforward.socket;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.net.BindException;
import java.net.InetAddress;
import java.net.SocketException;
import java.nio.channels.ClosedChannelException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

class ListenerTest {
  @TempDir Path dir;

  @ParameterizedTest
  @EnumSource(Kind.class)
  void oneListensAndAnotherConnects(Kind kind) throws Exception {
    try (Pair pair = Pair.of(kind, dir)) {
      Bytes.send(pair.client(), "there");
      assertThat(Bytes.receive(pair.server(), 5)).isEqualTo("there");
      Bytes.send(pair.server(), "and back");
      assertThat(Bytes.receive(pair.client(), 8)).isEqualTo("and back");
    }
  }

  @Test
  void thePortThatWasChosenIsTold() throws Exception {
    try (Listener listener = Listener.open(Kind.IPV6.free(dir))) {
      assertThat(((Endpoint.Ip) listener.endpoint()).port()).isPositive();
      assertThat(((Endpoint.Ip) listener.endpoint()).address())
          .isEqualTo(InetAddress.ofLiteral("::1"));
    }
  }

  @ParameterizedTest
  @ValueSource(booleans = {false, true})
  void everyUserMayReachTheSocketItself(boolean forCredentials) throws Exception {
    Endpoint where = Kind.PATH.free(dir);
    try (Listener listener = open(where, forCredentials)) {
      assertThat(PosixFilePermissions.toString(Files.getPosixFilePermissions(path(listener))))
          .isEqualTo("rw-rw-rw-");
    }
  }

  @ParameterizedTest
  @ValueSource(booleans = {false, true})
  void thePathIsGoneAfterwards(boolean forCredentials) throws Exception {
    Listener listener = open(Kind.PATH.free(dir), forCredentials);
    listener.close();
    listener.close();
    assertThat(path(listener)).doesNotExist();
    assertThat(listener.isOpen()).isFalse();
  }

  @ParameterizedTest
  @ValueSource(booleans = {false, true})
  void aFileThatTookThePathSinceIsLeftAlone(boolean forCredentials) throws Exception {
    Listener listener = open(Kind.PATH.free(dir), forCredentials);
    Files.delete(path(listener));
    Files.writeString(path(listener), "somebody else's");
    listener.close();
    assertThat(path(listener)).hasContent("somebody else's");
  }

  @ParameterizedTest
  @ValueSource(booleans = {false, true})
  void whatIsThereAlreadyIsNotTouched(boolean forCredentials) throws Exception {
    try (Listener first = Listener.open(Kind.PATH.free(dir))) {
      assertThatThrownBy(() -> open(first.endpoint(), forCredentials))
          .isInstanceOf(BindException.class)
          .hasMessageContaining(path(first).toString());
      try (Connection client = Connection.connect(first.endpoint());
          Connection server = first.accept()) {
        assertThat(client.isOpen() && server.isOpen()).isTrue();
      }
    }
  }

  @ParameterizedTest
  @EnumSource(names = {"ABSTRACT", "IPV4", "IPV6"})
  void anAddressThatIsTakenIsRefused(Kind kind) throws Exception {
    try (Listener first = Listener.open(kind.free(dir))) {
      assertThatThrownBy(() -> Listener.open(first.endpoint()))
          .isInstanceOf(IOException.class)
          .hasMessageContaining(first.endpoint().toString());
    }
  }

  @Test
  void onlyLoopbackIsListenedOn() {
    for (String address : new String[] {"0.0.0.0", "::", "192.0.2.1", "2001:db8::1"}) {
      assertThatThrownBy(() -> Listener.open(new Endpoint.Ip(InetAddress.ofLiteral(address), 0)))
          .as(address)
          .isInstanceOf(SocketException.class)
          .hasMessageContaining("loopback");
    }
  }

  @Test
  void namesThatNoSocketCanHaveAreRefused() {
    for (Endpoint endpoint :
        new Endpoint[] {
          new Endpoint.UnixPath(""),
          new Endpoint.UnixPath("relative"),
          new Endpoint.UnixPath("/tmp/nul\0inside"),
          new Endpoint.UnixPath("/" + "x".repeat(107)),
          new Endpoint.UnixPath("/" + "é".repeat(54)),
          new Endpoint.UnixPath("/no/such/directory/socket"),
          new Endpoint.UnixAbstract(""),
          new Endpoint.UnixAbstract("x".repeat(108)),
        }) {
      assertThatThrownBy(() -> Listener.open(endpoint).close())
          .as(endpoint.toString())
          .isInstanceOf(IOException.class);
    }
  }

  @Test
  void theLongestNamesWork() throws Exception {
    String path = dir + "/" + "x".repeat(107 - 1 - dir.toString().length());
    for (Endpoint endpoint :
        new Endpoint[] {
          new Endpoint.UnixPath(path),
          new Endpoint.UnixAbstract("x".repeat(75) + ProcessHandle.current().pid() + "é"),
        }) {
      try (Listener listener = Listener.open(endpoint);
          Connection client = Connection.connect(endpoint);
          Connection server = listener.accept()) {
        assertThat(client.isOpen() && server.isOpen()).as(endpoint.toString()).isTrue();
      }
    }
  }

  @ParameterizedTest
  @EnumSource(Kind.class)
  void closingEndsAnAcceptThatWaits(Kind kind) throws Exception {
    Listener listener = Listener.open(kind.free(dir));
    CompletableFuture<Thread> waits = new CompletableFuture<>();
    CompletableFuture<Connection> accepted =
        Threads.run(() -> {
          waits.complete(Thread.currentThread());
          return listener.accept();
        });
    Threads.awaitBlockedInNativeCode(waits.get());
    listener.close();
    assertThatThrownBy(() -> accepted.get(30, TimeUnit.SECONDS))
        .isInstanceOf(ExecutionException.class)
        .hasCauseInstanceOf(ClosedChannelException.class);
    assertThatThrownBy(listener::accept).isInstanceOf(ClosedChannelException.class);
  }

  @ParameterizedTest
  @EnumSource(Kind.class)
  void whoConnectsAndIsGoneDoesNotDisturbTheNext(Kind kind) throws Exception {
    try (Listener listener = Listener.open(kind.free(dir))) {
      for (int i = 0; i < 50; i++) {
        Connection.connect(listener.endpoint()).reset();
      }
      try (Connection last = Connection.connect(listener.endpoint())) {
        for (int i = 0; i < 50; i++) {
          Connection gone = listener.accept();
          if (kind.isTcp()) {
            assertThat(PeerCredentials.of(gone).isKnown()).isFalse();
          }
          gone.close();
        }
        try (Connection accepted = listener.accept()) {
          Bytes.send(last, "here");
          assertThat(Bytes.receive(accepted, 4)).isEqualTo("here");
        }
      }
    }
  }

  @ParameterizedTest
  @EnumSource(Kind.class)
  void acceptedConnectionsOutliveTheListener(Kind kind) throws Exception {
    try (Pair pair = Pair.of(kind, dir)) {
      pair.listener().close();
      Bytes.send(pair.client(), "still");
      assertThat(Bytes.receive(pair.server(), 5)).isEqualTo("still");
    }
  }

  @Test
  void abstractNamesAreNotGuessed() {
    Endpoint.UnixAbstract one = Endpoints.randomAbstract("tpforward");
    assertThat(one.name()).startsWith("tpforward-");
    assertThat(one).isNotEqualTo(Endpoints.randomAbstract("tpforward"));
  }

  private static Listener open(Endpoint where, boolean forCredentials) throws IOException {
    return forCredentials ? Listener.openForCredentials(where) : Listener.open(where);
  }

  private static Path path(Listener listener) {
    return Path.of(((Endpoint.UnixPath) listener.endpoint()).path());
  }
}
