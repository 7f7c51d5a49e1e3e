package org.tpforward.socket;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.google.common.net.InetAddresses;
import java.io.IOException;
import java.util.Objects;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** On the kernel's own tables, with a second process that has none of the sockets. */
class TcpProcessTest {
  private static final long OWN = ProcessHandle.current().pid();

  @ParameterizedTest
  @ValueSource(strings = {"127.0.0.1", "::1"})
  void aProcessHasItsOwnSocketsAndNoOthers(String host) throws Exception {
    Process other = new ProcessBuilder("sleep", "1000").start();
    try (Listener listener = Listener.open(new Endpoint.Ip(InetAddresses.forString(host), 0));
        Connection client = Connection.connect(listener.endpoint());
        Connection accepted = listener.accept()) {
      Endpoint.Ip at = (Endpoint.Ip) listener.endpoint();
      assertThat(TcpProcess.listens(OWN, at)).isTrue();
      assertThat(TcpProcess.listens(other.pid(), at)).isFalse();
      Endpoint.Ip from = Objects.requireNonNull(accepted.remote());
      Endpoint.Ip to = Objects.requireNonNull(accepted.local());
      assertThat(TcpProcess.connects(OWN, from, to)).isTrue();
      assertThat(TcpProcess.connects(other.pid(), from, to)).isFalse();
      assertThat(TcpProcess.listens(OWN, from)).isFalse();
      client.reset();
      assertThat(TcpProcess.connects(OWN, from, to)).isFalse();
      other.destroyForcibly().waitFor();
      assertThatThrownBy(() -> TcpProcess.listens(other.pid(), at)).isInstanceOf(IOException.class);
    } finally {
      other.destroyForcibly();
    }
  }
}
