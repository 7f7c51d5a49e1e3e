package org.tpforward.it.link;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.tpforward.agent.link.LinkException;

/**
 * Which servers are believed to be who they say. By sshd, which has keys of all types and
 * certificates for them: what is decided here does not depend on whose server it is.
 */
class HostKeysIT {
  @TempDir Path directory;
  Sshd sshd;
  Desk desk;

  @BeforeEach
  void start() throws Exception {
    sshd = Sshd.start(directory.resolve("server"), List.of("rsa", "ecdsa", "ed25519"));
    desk = new Desk(directory.resolve("home"));
    sshd.allow(Programs.key(desk.ssh.resolve("id_ed25519"), "ed25519"));
  }

  @AfterEach
  void stop() throws Exception {
    sshd.close();
  }

  private void connects() throws Exception {
    desk.connect(sshd).close();
  }

  private LinkException refused() {
    LinkException e = catchThrowableOfType(LinkException.class, () -> desk.connect(sshd));
    assertThat(e).isNotNull();
    assertThat(e.getMessage()).doesNotContain("\n");
    return e;
  }

  @ParameterizedTest
  @ValueSource(strings = {"rsa", "ecdsa", "ed25519"})
  void aServerWithSeveralKeysShowsTheOneThatIsKnown(String type) throws Exception {
    desk.knows(sshd.knownHost(type));
    connects();
  }

  @Test
  void hashedEntriesAreKnown() throws Exception {
    desk.knows(sshd.knownHost("ed25519"));
    Programs.run("ssh-keygen", "-H", "-f", desk.knownHosts().toString());
    assertThat(Files.readString(desk.knownHosts())).startsWith("|1|");
    connects();
  }

  @ParameterizedTest
  @ValueSource(strings = {"yes", "ask", "accept-new", "no", "off"})
  void aChangedKeyIsRefusedWhateverTheConfigurationSays(String strict) throws Exception {
    Path other = Programs.key(directory.resolve("other"), "ed25519");
    String known = "[127.0.0.1]:" + sshd.port() + " " + Programs.typeAndKey(other) + "\n";
    desk.knows(known);
    desk.options.add("StrictHostKeyChecking=" + strict);
    LinkException e = refused();
    assertThat(e.reason()).isEqualTo(LinkException.Cause.HOST_KEY_CHANGED);
    assertThat(e)
        .hasMessageContaining("ssh-keygen -R '[127.0.0.1]:" + sshd.port() + "'")
        .hasMessageContaining(desk.knownHosts() + ":1");
    assertThat(Files.readString(desk.knownHosts())).isEqualTo(known);
  }

  @ParameterizedTest
  @ValueSource(strings = {"ask", "accept-new", "no"})
  void aRevokedKeyIsRefusedEvenIfItIsKnown(String strict) throws Exception {
    desk.knows(
        sshd.knownHost("ed25519") + "@revoked * " + Programs.typeAndKey(sshd.hostKey("ed25519")));
    desk.options.add("StrictHostKeyChecking=" + strict);
    LinkException e = refused();
    assertThat(e.reason()).isEqualTo(LinkException.Cause.HOST_KEY_CHANGED);
    assertThat(e).hasMessageContaining("revoked");
  }

  @ParameterizedTest
  @ValueSource(strings = {"yes", "ask"})
  void anUnknownHostIsRefusedWithoutATerminal(String strict) throws Exception {
    desk.options.add("StrictHostKeyChecking=" + strict);
    LinkException e = refused();
    assertThat(e.reason()).isEqualTo(LinkException.Cause.HOST_KEY_UNKNOWN);
    assertThat(e).hasMessageContaining("SHA256:");
    assertThat(desk.knownHosts()).doesNotExist();
  }

  @Test
  void acceptNewWritesAnUnknownHostDownAsSshReadsIt() throws Exception {
    desk.options.addAll(List.of("StrictHostKeyChecking=accept-new", "HashKnownHosts=yes"));
    connects();
    assertThat(Files.readString(desk.knownHosts())).startsWith("|1|").endsWith("\n");
    assertThat(
            Programs.run(
                "ssh-keygen",
                "-F",
                "[127.0.0.1]:" + sshd.port(),
                "-f",
                desk.knownHosts().toString()))
        .contains("found");
    desk.options.set(0, "StrictHostKeyChecking=yes");
    connects();
  }

  @Test
  void acceptNewDoesNotAcceptAnotherTypeOfKeyForAKnownHost() throws Exception {
    desk.knows(sshd.knownHost("rsa"));
    desk.options.addAll(
        List.of("StrictHostKeyChecking=accept-new", "HostKeyAlgorithms=ssh-ed25519"));
    assertThat(refused().reason()).isEqualTo(LinkException.Cause.HOST_KEY_CHANGED);
  }

  @Test
  void aUserOnATerminalSaysYesAndIsNotAskedAgain() throws Exception {
    try (Typist typist = Typist.start(directory, "yes")) {
      desk.terminal = typist.terminal();
      connects();
      assertThat(typist.screen())
          .contains("The authenticity of host '[127.0.0.1]:" + sshd.port() + "' can't be")
          .contains("ED25519 key fingerprint is SHA256:")
          .contains("(yes/no/[fingerprint])?");
    }
    desk.terminal = null;
    connects();
  }

  @Test
  void aUserOnATerminalSaysNo() throws Exception {
    try (Typist typist = Typist.start(directory, "what", "no")) {
      desk.terminal = typist.terminal();
      assertThat(refused()).hasMessageContaining("you said no");
      assertThat(typist.screen()).contains("Please type 'yes', 'no' or the fingerprint");
    }
  }

  @Test
  void hostKeyAliasNamesTheHost() throws Exception {
    desk.knows("storage " + Programs.typeAndKey(sshd.hostKey("ecdsa")) + "\n");
    desk.options.add("HostKeyAlias=storage");
    connects();
  }

  @Test
  void aCertificateByAKnownAuthorityIsEnough() throws Exception {
    Path authority = Programs.key(directory.resolve("ca"), "ed25519");
    Path key = sshd.hostKey("ed25519");
    Programs.run(
        "ssh-keygen",
        "-q",
        "-s",
        authority.toString(),
        "-h",
        "-I",
        "host",
        "-n",
        "127.0.0.1",
        key + ".pub");
    sshd.restart("HostCertificate " + key + "-cert.pub");
    desk.knows("@cert-authority * " + Programs.typeAndKey(authority) + "\n");
    desk.options.add("StrictHostKeyChecking=yes");
    connects();

    desk.knows(
        "@cert-authority * "
            + Programs.typeAndKey(authority)
            + "\n@revoked * "
            + Programs.typeAndKey(key)
            + "\n");
    assertThat(refused().reason()).isEqualTo(LinkException.Cause.HOST_KEY_CHANGED);
  }

  @Test
  void aCertificateByAnUnknownAuthorityIsWorthNothing() throws Exception {
    Path authority = Programs.key(directory.resolve("ca"), "ed25519");
    Path other = Programs.key(directory.resolve("other"), "ed25519");
    Path key = sshd.hostKey("ed25519");
    Programs.run("ssh-keygen", "-q", "-s", authority.toString(), "-h", "-I", "h", key + ".pub");
    sshd.restart("HostCertificate " + key + "-cert.pub");
    desk.knows("@cert-authority * " + Programs.typeAndKey(other) + "\n");
    assertThat(refused().reason()).isEqualTo(LinkException.Cause.HOST_KEY_UNKNOWN);
  }
}
