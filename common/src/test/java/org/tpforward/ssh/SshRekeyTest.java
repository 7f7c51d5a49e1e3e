package org.tpforward.ssh;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.channels.SocketChannel;
import java.nio.file.Path;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.tpforward.relay.Duplex;

/** Key exchanges in the middle of everything: sshd wants one after each half mebibyte. */
@Timeout(60)
class SshRekeyTest {
  private static final long MIB = 1 << 20;

  @TempDir Path directory;

  @Test
  void dataFlowAndChannelsOpenAndCloseWhileKeysChange() throws Exception {
    try (Sshd sshd = new Sshd(directory, "RekeyLimit 512K");
        SshSessions client = new SshSessions(sshd);
        Service service = new Service(directory, "service")) {
      AtomicInteger exchanges = client.keyExchanges();
      try (Duplex near = open(client, service);
          SocketChannel far = service.accept()) {
        CompletableFuture<Long> up =
            Bytes.async(() -> {
              long sum = Bytes.send(near, 1, 3 * MIB);
              near.shutdownOutput();
              return sum;
            });
        CompletableFuture<Long> down =
            Bytes.async(() -> {
              long sum = Bytes.send(far, 2, 3 * MIB);
              far.shutdownOutput();
              return sum;
            });
        CompletableFuture<Bytes.Received> atFar = Bytes.async(() -> Bytes.drain(far));
        CompletableFuture<Bytes.Received> atNear = Bytes.async(() -> Bytes.drain(near));
        while (!atNear.isDone() || !atFar.isDone()) {
          try (Duplex other = open(client, service);
              SocketChannel otherFar = service.accept()) {
            Bytes.write(other, "ping");
            assertThat(Bytes.text(otherFar, 4)).isEqualTo("ping");
          }
        }
        assertThat(atNear.join()).isEqualTo(new Bytes.Received(3 * MIB, down.join()));
        assertThat(atFar.join()).isEqualTo(new Bytes.Received(3 * MIB, up.join()));
      }
      assertThat(exchanges).hasValueGreaterThan(3);
    }
  }

  private static Duplex open(SshSessions client, Service service) throws Exception {
    return SshChannels.open(client.session(), service.endpoint(), SshSessions.BOUND);
  }
}
