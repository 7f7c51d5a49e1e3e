package org.tpforward.ssh;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.net.InetAddress;
import java.nio.file.Path;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.tpforward.socket.Endpoint;

/** A server that is configured to forward nothing: what it says reaches the caller. */
@Timeout(60)
class SshRefusalTest {
  @TempDir Path directory;
  private Sshd sshd;
  private SshSessions client;

  @BeforeEach
  void start() throws Exception {
    sshd = new Sshd(directory, "AllowStreamLocalForwarding no", "AllowTcpForwarding no");
    client = new SshSessions(sshd);
  }

  @AfterEach
  void stop() {
    client.close();
    sshd.close();
  }

  /** OpenSSH 9.2 gives the reason of a socket that is not there, and no other word. */
  @Test
  void aUnixSocketIsRefusedAsOneThatIsNotThere() throws Exception {
    try (Service service = new Service(directory, "service")) {
      assertRefused(service.endpoint(), ChannelOpenFailedException.CONNECT_FAILED);
    }
  }

  @Test
  void aPortIsRefusedAsProhibited() {
    Endpoint port = new Endpoint.Ip(InetAddress.getLoopbackAddress(), 9);
    assertRefused(port, ChannelOpenFailedException.PROHIBITED);
  }

  private void assertRefused(Endpoint target, int code) {
    assertThatThrownBy(() -> SshChannels.open(client.session(), target, SshSessions.BOUND))
        .isInstanceOfSatisfying(
            ChannelOpenFailedException.class, e -> assertThat(e.code()).isEqualTo(code))
        .hasMessageContaining("open failed");
    assertThat(client.session().isOpen()).isTrue();
  }

  @Test
  void aListenerIsRefusedWithTheServersOwnWords() {
    Endpoint path = new Endpoint.UnixPath(directory.resolve("listener").toString());
    assertThatThrownBy(
            () -> RemoteListeners.listen(client.session(), path, SshSessions.BOUND, incoming -> {}))
        .isInstanceOf(ListenRefusedException.class)
        .hasMessageContaining("Server has disabled streamlocal forwarding.");
  }
}
