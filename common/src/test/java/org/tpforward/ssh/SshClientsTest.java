package org.tpforward.ssh;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.channels.SocketChannel;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import org.apache.sshd.client.SshClient;
import org.apache.sshd.client.keyverifier.AcceptAllServerKeyVerifier;
import org.apache.sshd.client.keyverifier.RejectAllServerKeyVerifier;
import org.apache.sshd.common.NamedFactory;
import org.apache.sshd.common.NamedResource;
import org.apache.sshd.common.cipher.Cipher;
import org.apache.sshd.common.util.security.SecurityUtils;
import org.apache.sshd.core.CoreModuleProperties;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.tpforward.relay.Duplex;

@Timeout(60)
class SshClientsTest {
  @TempDir static Path directory;
  private static Sshd sshd;

  @BeforeAll
  static void start() throws Exception {
    sshd = new Sshd(directory);
  }

  @AfterAll
  static void stop() {
    sshd.close();
  }

  private static SshClient client() {
    return SshClients.newClient(RejectAllServerKeyVerifier.INSTANCE);
  }

  @Test
  void offersNothingThatNeedsSha1() {
    SshClient client = client();
    assertThat(client.getSignatureFactoriesNames())
        .contains("ssh-ed25519", "rsa-sha2-512")
        .doesNotContain("ssh-rsa", "ssh-dss");
    assertThat(client.getMacFactoriesNames())
        .isNotEmpty()
        .noneMatch(name -> name.contains("sha1") || name.contains("md5"));
    assertThat(client.getKeyExchangeFactories())
        .extracting(NamedResource::getName)
        .startsWith("mlkem768x25519-sha256")
        .contains("sntrup761x25519-sha512@openssh.com")
        .noneMatch(name -> name.endsWith("sha1"));
    assertThat(client.getCipherFactoriesNames()).noneMatch(name -> name.contains("cbc"));
  }

  @Test
  void prefersWhatTheProcessorIsFastAt() {
    assertThat(names(Algorithms.ciphers(true)))
        .startsWith("aes128-gcm@openssh.com", "aes256-gcm@openssh.com");
    assertThat(names(Algorithms.ciphers(false))).startsWith("chacha20-poly1305@openssh.com");
  }

  private static List<String> names(List<NamedFactory<Cipher>> ciphers) {
    return ciphers.stream().map(NamedResource::getName).toList();
  }

  @Test
  void leavesBulkEncryptionToTheJdk() throws Exception {
    client();
    assertThat(SecurityUtils.getCipher("AES/GCM/NoPadding").getProvider().getName())
        .isEqualTo("SunJCE");
  }

  @Test
  void neverEndsAnIdleSessionOrAWriterThatWaits() {
    SshClient client = client();
    assertThat(CoreModuleProperties.IDLE_TIMEOUT.getRequired(client)).isZero();
    assertThat(CoreModuleProperties.WAIT_FOR_SPACE_TIMEOUT.getRequired(client))
        .isGreaterThan(Duration.ofDays(30));
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "aes128-gcm@openssh.com",
        "aes256-gcm@openssh.com",
        "chacha20-poly1305@openssh.com",
        "aes256-ctr"
      })
  void speaksEachCipherWithOpenSsh(String name) throws Exception {
    SshClient client = SshClients.newClient(AcceptAllServerKeyVerifier.INSTANCE);
    client.setCipherFactories(
        Algorithms.ciphers(true).stream().filter(c -> c.getName().equals(name)).toList());
    try (SshSessions connected = new SshSessions(client, sshd);
        Service service = new Service(directory, name.substring(0, 9));
        Duplex near = SshChannels.open(connected.session(), service.endpoint(), SshSessions.BOUND);
        SocketChannel far = service.accept()) {
      var sent =
          Bytes.async(() -> {
            long sum = Bytes.send(far, 1, 1 << 20);
            far.shutdownOutput();
            return sum;
          });
      assertThat(Bytes.drain(near)).isEqualTo(new Bytes.Received(1 << 20, sent.join()));
      var received = Bytes.async(() -> Bytes.drain(far));
      long sum = Bytes.send(near, 2, 1 << 20);
      near.shutdownOutput();
      assertThat(received.join()).isEqualTo(new Bytes.Received(1 << 20, sum));
    }
  }
}
