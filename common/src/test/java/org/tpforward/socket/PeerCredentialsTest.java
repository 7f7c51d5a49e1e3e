package org.tpforward.socket;

import static org.assertj.core.api.Assertions.assertThat;

import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.StandardProtocolFamily;
import java.nio.channels.SocketChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

class PeerCredentialsTest {
  @TempDir Path dir;

  @BeforeEach
  void letOthersReachTheDirectory() throws Exception {
    OtherUser.open(dir);
  }

  @ParameterizedTest
  @EnumSource(Kind.class)
  void ownConnectionsAreOwn(Kind kind) throws Exception {
    try (Pair pair = Pair.of(kind, dir)) {
      PeerCredentials peer = PeerCredentials.of(pair.server());
      assertThat(peer.uid()).isEqualTo((int) (Integer) Files.getAttribute(dir, "unix:uid"));
      assertThat(AllowedUids.own().allows(peer)).isTrue();
    }
  }

  @ParameterizedTest
  @EnumSource(Kind.class)
  void anotherUserIsSeenAsTheOneHeIs(Kind kind) throws Exception {
    try (Listener listener = Listener.open(kind.free(dir));
        OtherUser other = OtherUser.start(dir, "connect", listener.endpoint().toString());
        Connection connection = listener.accept()) {
      PeerCredentials peer = PeerCredentials.of(connection);
      assertThat(peer.uid()).isEqualTo(OtherUser.UID);
      assertThat(AllowedUids.own().allows(peer)).isFalse();
      assertThat(AllowedUids.own().with(OtherUser.UID).allows(peer)).isTrue();
      if (kind.isUnix()) {
        assertThat(peer.gid()).isEqualTo(OtherUser.GID);
      }
      connection.reset();
      assertThat(other.line()).isEqualTo("connected");
      assertThat(other.line()).isEqualTo(kind.isTcp() ? "reset" : "ended");
    }
  }

  /** Without the user database: the numbers that the kernel gives, once they can be asked for. */
  @Test
  void theNumbersOfAnotherUserAreHis() throws Exception {
    try (Listener listener = Listener.open(new Endpoint.UnixPath(dir.resolve("s").toString()));
        OtherUser other = OtherUser.start(dir, "connect", listener.endpoint().toString());
        Connection connection = listener.accept()) {
      int[] peer = connection.peer();
      while (peer == null) {
        connection.writeNow(new byte[0], 0, 0); // What they are asked for with is made for this.
        peer = connection.peer();
      }
      assertThat(peer[1]).isEqualTo(OtherUser.UID);
      assertThat(peer[2]).isEqualTo(OtherUser.GID);
      assertThat(PeerCredentials.of(connection).uid()).isEqualTo(OtherUser.UID);
      connection.reset();
      assertThat(other.line()).isEqualTo("connected");
    }
  }

  @ParameterizedTest
  @EnumSource(Kind.class)
  void rootIsAnotherUserUnlessItIsOneself(Kind kind) throws Exception {
    Path theirs = Files.createDirectory(dir.resolve("theirs"));
    Files.setAttribute(theirs, "unix:uid", OtherUser.UID);
    try (OtherUser other = OtherUser.start(dir, "listen", kind.free(theirs).toString());
        Connection connection = Connection.connect(OtherUser.Program.endpoint(other.line()))) {
      assertThat(other.line())
          .isEqualTo("uid " + PeerCredentials.of(own()).uid() + " allowed false");
      if (kind.isUnix()) {
        // Seen from a client, it is who listens.
        assertThat(PeerCredentials.of(connection).uid()).isEqualTo(OtherUser.UID);
      }
    }
  }

  private Connection own() throws Exception {
    return Pair.of(Kind.PATH, dir).client();
  }

  @Test
  void anIpv4ConnectionFromAnIpv6SocketIsFoundToo() throws Exception {
    try (Listener listener = Listener.open(Kind.IPV4.free(dir));
        SocketChannel client = SocketChannel.open(StandardProtocolFamily.INET6)) {
      int port = ((Endpoint.Ip) listener.endpoint()).port();
      client.connect(new InetSocketAddress(InetAddress.ofLiteral("127.0.0.1"), port));
      try (Connection connection = listener.accept()) {
        assertThat(PeerCredentials.of(connection).uid()).isEqualTo(Uids.own());
      }
    }
  }

  @ParameterizedTest
  @EnumSource(names = {"IPV4", "IPV6"})
  void aTcpClientThatIsGoneIsNobody(Kind kind) throws Exception {
    try (Pair pair = Pair.of(kind, dir)) {
      pair.client().close();
      assertThat(pair.server().read(java.nio.ByteBuffer.allocate(1))).isEqualTo(-1);
      PeerCredentials peer = PeerCredentials.of(pair.server());
      assertThat(peer.isKnown()).isFalse();
      assertThat(AllowedUids.own().allows(peer)).isFalse();
    }
  }

  @Test
  void aUnixClientWithADescriptorHasAPidToo() throws Exception {
    try (Pair pair = Pair.forCredentials(dir)) {
      assertThat(PeerCredentials.of(pair.server()).pid()).isEqualTo(ProcessHandle.current().pid());
    }
  }
}
