package org.tpforward.server.user;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIOException;

import java.io.IOException;
import java.net.InetAddress;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.security.KeyPair;
import java.security.PublicKey;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Objects;
import org.apache.sshd.certificate.OpenSshCertificateBuilder;
import org.apache.sshd.common.config.keys.KeyUtils;
import org.apache.sshd.common.config.keys.OpenSshCertificate;
import org.apache.sshd.common.config.keys.PublicKeyEntry;
import org.apache.sshd.common.util.security.SecurityUtils;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class KeysTest {
  private static final InetAddress HERE = InetAddress.ofLiteral("192.0.2.7");
  private static final Instant NOW = Instant.parse("2026-06-01T00:00:00Z");

  private static KeyPair alice;
  private static KeyPair bob;
  private static KeyPair authority;

  @TempDir Path directory;

  @BeforeAll
  static void makeKeys() throws GeneralSecurityException {
    alice = pair("EC", 256);
    bob = pair("EC", 384);
    authority = pair("EC", 256);
  }

  private static KeyPair pair(String algorithm, int bits) throws GeneralSecurityException {
    var generator = SecurityUtils.getKeyPairGenerator(algorithm);
    generator.initialize(bits);
    return generator.generateKeyPair();
  }

  private static String line(KeyPair pair) {
    return PublicKeyEntry.toString(pair.getPublic());
  }

  private Path file(String... lines) throws IOException {
    return Files.write(directory.resolve("keys"), List.of(lines));
  }

  private static Keys.Answer ask(Keys keys, PublicKey key) {
    return keys.find("alice", key, HERE, NOW);
  }

  private static Account account(Keys.Answer answer) {
    assertThat(answer.account()).as(answer.why()).isNotNull();
    return Objects.requireNonNull(answer.account());
  }

  @Test
  void knowsKeysByThemselvesOrByTheNameInTheirLine() throws Exception {
    Keys keys =
        Keys.read(
            file(
                "# a comment",
                "",
                line(alice) + " alice@desk",
                "restrict,environment=\"TPFORWARD_USER=bob\","
                    + "environment=\"TPFORWARD_BUS=unix:path=/run/bob\" "
                    + line(bob)),
            null);
    assertThat(keys.size()).isEqualTo(2);
    String print = KeyUtils.getFingerPrint(alice.getPublic());
    assertThat(ask(keys, alice.getPublic()).account())
        .isEqualTo(new Account("key " + print, print, null));
    Account other = account(ask(keys, bob.getPublic()));
    assertThat(other.name()).isEqualTo("bob");
    assertThat(other.bus()).isEqualTo("unix:path=/run/bob");
    assertThat(ask(keys, authority.getPublic()).why()).isEqualTo("the key is not known");
  }

  @Test
  void leavesOutWhatItCannotUse() throws Exception {
    KeyPair weak = pair("RSA", 1024);
    Keys keys =
        Keys.read(
            file(
                "command=\"id\" " + line(alice),
                line(weak),
                "ssh-ed25519 AAAA",
                "ssh-dss AAAAB3NzaC1kc3M=",
                "nonsense",
                line(bob)),
            null);
    assertThat(keys.size()).isEqualTo(1);
    assertThat(keys.problems()).isEqualTo(5);
    assertThat(ask(keys, alice.getPublic()).account()).isNull();
    assertThat(ask(keys, bob.getPublic()).account()).isNotNull();
  }

  @Test
  void saysWhyAKnownKeyIsRefused() throws Exception {
    Keys keys =
        Keys.read(
            file(
                "from=\"198.51.100.0/24\" " + line(alice),
                "expiry-time=\"20260101Z\" " + line(bob)),
            null);
    assertThat(ask(keys, alice.getPublic()).why()).contains("from 192.0.2.7");
    assertThat(ask(keys, bob.getPublic()).why()).contains("expired");
  }

  @Test
  void aMissingFileIsAnErrorThatNamesIt() {
    Path missing = directory.resolve("missing");
    assertThatIOException()
        .isThrownBy(() -> Keys.read(missing, null))
        .withMessageContaining("missing does not exist");
  }

  private static OpenSshCertificate certificate(String... principals) throws Exception {
    return builder(principals).sign(authority, "ecdsa-sha2-nistp256");
  }

  private static OpenSshCertificateBuilder builder(String... principals) {
    return OpenSshCertificateBuilder.userCertificate()
        .serial(1)
        .publicKey(alice.getPublic())
        .id("alice@desk")
        .principals(List.of(principals))
        .validBefore(NOW.plus(Duration.ofDays(1)))
        .extensions(List.of(new OpenSshCertificate.CertificateOption("permit-port-forwarding")));
  }

  @Test
  void aCertificateIsForItsPrincipals() throws Exception {
    Keys keys = Keys.read(null, file(line(authority)));
    Account account = account(ask(keys, certificate("root", "alice")));
    assertThat(account.name()).isEqualTo("cert alice");
    assertThat(account.key()).contains("SHA256:").endsWith("id alice@desk");
    assertThat(ask(keys, certificate("bob")).why()).contains("not for alice");
    assertThat(keys.find("bob", certificate("bob"), HERE, NOW).account()).isNotNull();
  }

  @Test
  void anAuthorityInAuthorizedKeysHasOptions() throws Exception {
    Keys keys = Keys.read(file("cert-authority,principals=\"staff\" " + line(authority)), null);
    Account account = account(ask(keys, certificate("staff")));
    assertThat(account.name()).isEqualTo("cert staff");
    assertThat(ask(keys, certificate("alice")).why()).contains("not for staff");
  }

  @Test
  void anAuthorityIsNoKeyAndAKeyNoAuthority() throws Exception {
    Keys authorities = Keys.read(file("cert-authority " + line(authority)), null);
    assertThat(ask(authorities, authority.getPublic()).account()).isNull();
    Keys keys = Keys.read(file(line(authority)), null);
    assertThat(ask(keys, certificate("alice")).why()).contains("authority is not known");
  }

  @Test
  void aCertificateThatMayNotForwardIsOfNoUse() throws Exception {
    Keys keys = Keys.read(null, file(line(authority)));
    OpenSshCertificate bare =
        builder("alice").extensions(List.of()).sign(authority, "ecdsa-sha2-nistp256");
    assertThat(ask(keys, bare).why()).contains("permit-port-forwarding");
  }
}
