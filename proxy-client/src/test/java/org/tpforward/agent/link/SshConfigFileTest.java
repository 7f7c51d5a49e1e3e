package org.tpforward.agent.link;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The configuration without ssh's help; with it, see ConfigIT. */
class SshConfigFileTest {
  @TempDir Path home;

  private SshConfig read(String destination, String... lines) throws IOException {
    return read(LinkOptions.of(Destination.parse(destination)), lines);
  }

  private SshConfig read(LinkOptions options, String... lines) throws IOException {
    Files.createDirectories(home.resolve(".ssh"));
    Files.write(home.resolve(".ssh/config"), List.of(lines));
    UserEnvironment environment =
        new UserEnvironment(home, Map.of("PATH", "/nonexistent", "SOCK", "/run/s"), null);
    return SshConfigReader.read(options, environment);
  }

  @Test
  void hasSshsDefaults() throws IOException {
    SshConfig config = read("host");
    assertThat(config.host()).isEqualTo("host");
    assertThat(config.port()).isEqualTo(22);
    assertThat(config.user()).isEqualTo(System.getProperty("user.name"));
    assertThat(config.identityFiles()).contains(home.resolve(".ssh/id_ed25519"));
    assertThat(config.identitiesExplicit()).isFalse();
    assertThat(config.userKnownHosts()).contains(home.resolve(".ssh/known_hosts"));
    assertThat(config.strictHostKeys()).isEqualTo(SshConfig.StrictHostKeys.ASK);
    assertThat(config.preferredAuthentications())
        .containsExactly("publickey", "keyboard-interactive", "password");
    assertThat(config.algorithms().ciphers()).isEmpty();
    assertThat(config.aliveInterval()).isNull();
    assertThat(config.proxyCommand()).isNull();
  }

  @Test
  void theFirstValueCountsAndTheCommandLineComesFirst() throws IOException {
    LinkOptions options =
        new LinkOptions(
            Destination.parse("me@host:3"),
            null,
            List.of("/k0"),
            2,
            List.of("IdentityFile=/k1", "ConnectTimeout 1m30"),
            true,
            true);
    SshConfig config =
        read(
            options, "Host ho*", "Port 4", "User you", "IdentityFile \"/k 2\"", "ConnectTimeout=7");
    assertThat(config.port()).isEqualTo(2);
    assertThat(config.user()).isEqualTo("me");
    assertThat(config.identityFiles())
        .containsExactly(Path.of("/k0"), Path.of("/k1"), Path.of("/k 2"));
    assertThat(config.connectTimeout()).isEqualTo(Duration.ofSeconds(90));
  }

  @Test
  void replacesTokensVariablesAndTheHomeDirectory() throws IOException {
    SshConfig config =
        read(
            "alias",
            "HostName %h.example",
            "User u",
            "IdentityFile ~/%r@%h",
            "IdentityFile %d/.k-%n-%p-%%",
            "IdentityAgent ${SOCK}.1",
            "UserKnownHostsFile ~/a none /b",
            "ProxyCommand connect %r %h:%p '%n' 100%%");
    assertThat(config.host()).isEqualTo("alias.example");
    assertThat(config.identityFiles())
        .containsExactly(home.resolve("u@alias.example"), home.resolve(".k-alias-22-%"));
    assertThat(config.agent()).isEqualTo(Path.of("/run/s.1"));
    assertThat(config.userKnownHosts()).containsExactly(home.resolve("a"), Path.of("/b"));
    assertThat(config.proxyCommand()).isEqualTo("connect u alias.example:22 'alias' 100%");
  }

  @Test
  void switchesMethodsOff() throws IOException {
    assertThat(
            read("h", "PasswordAuthentication no", "PreferredAuthentications password,publickey")
                .preferredAuthentications())
        .containsExactly("publickey");
    assertThat(read("h", "KbdInteractiveAuthentication no").preferredAuthentications())
        .containsExactly("publickey", "password");
  }

  @Test
  void aliveAndStrictSettingsAreRead() throws IOException {
    SshConfig config =
        read(
            "h",
            "ServerAliveInterval 5",
            "ServerAliveCountMax 2",
            "StrictHostKeyChecking accept-new",
            "HostKeyAlias Other",
            "Ciphers aes256-ctr,aes128-ctr");
    assertThat(config.aliveInterval()).isEqualTo(Duration.ofSeconds(5));
    assertThat(config.aliveCount()).isEqualTo(2);
    assertThat(config.strictHostKeys()).isEqualTo(SshConfig.StrictHostKeys.ACCEPT_NEW);
    assertThat(config.knownAs()).isEqualTo("other");
    assertThat(config.algorithms().ciphers()).containsExactly("aes256-ctr", "aes128-ctr");
  }

  @Test
  void aLoopOfIncludesEndsWithAnError() {
    assertThatExceptionOfType(LinkException.class)
        .isThrownBy(() -> read("h", "Include config"))
        .withMessageContaining("nested too deeply");
  }

  @Test
  void aFileThatIsNamedAndMissingIsAnError() {
    LinkOptions options =
        new LinkOptions(
            Destination.parse("h"), "/nonexistent/config", List.of(), 0, List.of(), true, true);
    assertThatExceptionOfType(LinkException.class)
        .isThrownBy(() -> read(options))
        .withMessageContaining("/nonexistent/config");
  }
}
