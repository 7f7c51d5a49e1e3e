package org.tpforward.ssh;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Path;
import org.apache.sshd.client.SshClient;
import org.apache.sshd.client.keyverifier.AcceptAllServerKeyVerifier;
import org.apache.sshd.common.kex.KexProposalOption;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

@Timeout(60)
class EarlyKeysTest {
  private static final String EXCHANGE = "sntrup761x25519-sha512@openssh.com";

  @TempDir Path directory;

  @Test
  void serveOneExchangeEach() throws Exception {
    try (Sshd sshd = new Sshd(directory)) {
      boolean _ = EarlyKeys.make();
      assertThat(EarlyKeys.make()).as("a second one").isFalse();
      connect(sshd);
      connect(sshd);
      assertThat(EarlyKeys.make()).as("the first one was used").isTrue();
      connect(sshd);
    }
  }

  private static void connect(Sshd sshd) throws Exception {
    SshClient client = SshClients.newClient(AcceptAllServerKeyVerifier.INSTANCE);
    client.setKeyExchangeFactories(
        client.getKeyExchangeFactories().stream()
            .filter(exchange -> exchange.getName().equals(EXCHANGE))
            .toList());
    try (SshSessions connected = new SshSessions(client, sshd)) {
      assertThat(connected.session().getNegotiatedKexParameter(KexProposalOption.ALGORITHMS))
          .isEqualTo(EXCHANGE);
    }
  }
}
