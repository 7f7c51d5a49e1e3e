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
import org.tpforward.agent.link.LinkState;
import org.tpforward.agent.link.SshLink;
import org.tpforward.it.EitherServer;

/** Keys that a real ssh-agent holds. */
@EitherServer
class AgentKeysIT {
  @TempDir Path directory;
  Door door;
  Desk desk;
  Process agent;
  Path socket;

  @BeforeEach
  void start() throws Exception {
    door = Door.open(directory.resolve("server"));
    desk = new Desk(directory.resolve("home")).knows(door.knownHost("ed25519"));
    socket = directory.resolve("agent");
    agent =
        new ProcessBuilder("ssh-agent", "-D", "-a", socket.toString())
            .redirectErrorStream(true)
            .start();
    // It prints the socket's name once it listens.
    assertThat(agent.inputReader().readLine()).contains(socket.toString());
    desk.variables.put("SSH_AUTH_SOCK", socket.toString());
  }

  @AfterEach
  void stop() throws Exception {
    agent.destroy();
    agent.waitFor();
    door.close();
  }

  private void add(Path key) throws Exception {
    ProcessBuilder builder = new ProcessBuilder("ssh-add", "-q", key.toString());
    builder.environment().put("SSH_AUTH_SOCK", socket.toString());
    assertThat(builder.inheritIO().start().waitFor()).isZero();
  }

  private void getsIn() throws Exception {
    try (SshLink link = desk.connect(door)) {
      assertThat(link.state()).isInstanceOf(LinkState.Up.class);
      if (door instanceof Sshd) { // The other one runs no commands.
        assertThat(link.shell().exec("echo in", 100).output()).isEqualTo("in\n");
      }
    }
  }

  /** A key that is nowhere but in the agent. */
  private Path onlyInAgent(String name, String type) throws Exception {
    Path key = Programs.key(directory.resolve(name), type);
    add(key);
    Files.delete(key);
    return key;
  }

  @ParameterizedTest
  @ValueSource(strings = {"ed25519", "ecdsa", "rsa"})
  void signsWithAKeyThatIsOnlyInTheAgent(String type) throws Exception {
    door.allow(onlyInAgent("key", type));
    getsIn();
  }

  @Test
  void signsWithACertificateThatIsInTheAgent() throws Exception {
    Path authority = Programs.key(directory.resolve("ca"), "ed25519");
    door.authorize("cert-authority,principals=\"me\" " + Programs.publicKey(authority));
    Path key = Programs.key(directory.resolve("key"), "rsa");
    Programs.run(
        "ssh-keygen", "-q", "-s", authority.toString(), "-I", "it", "-n", "me", key + ".pub");
    add(key);
    Files.delete(key);
    getsIn();
  }

  @Test
  void signsForACertificateFileWithTheKeyInTheAgent() throws Exception {
    Path authority = Programs.key(directory.resolve("ca"), "ed25519");
    door.authorize("cert-authority,principals=\"me\" " + Programs.publicKey(authority));
    Path key = onlyInAgent("key", "ed25519");
    Programs.run(
        "ssh-keygen", "-q", "-s", authority.toString(), "-I", "it", "-n", "me", key + ".pub");
    desk.options.add("CertificateFile=" + key + "-cert.pub");
    getsIn();
  }

  @Test
  void identityAgentOfTheConfigurationWinsOverTheEnvironment() throws Exception {
    door.allow(onlyInAgent("key", "ed25519"));
    desk.variables.put("SSH_AUTH_SOCK", directory.resolve("nowhere").toString());
    desk.variables.put("MY_AGENT", socket.toString());
    for (String value : List.of(socket.toString(), "$MY_AGENT", "${MY_AGENT}")) {
      desk.config("Host *", "IdentityAgent " + value);
      getsIn();
    }
  }

  @Test
  void identityAgentNoneTurnsTheAgentOff() throws Exception {
    door.allow(onlyInAgent("key", "ed25519"));
    desk.options.add("IdentityAgent=none");
    LinkException e = catchThrowableOfType(LinkException.class, () -> desk.connect(door));
    assertThat(e.reason()).isEqualTo(LinkException.Cause.AUTH_FAILED);
  }

  @Test
  void identitiesOnlyUsesOfTheAgentsKeysThoseThatAreNamed() throws Exception {
    int tooMany = door instanceof Sshd ? 8 : 22; // Of tpforward-server one may try 20.
    for (int i = 0; i < tooMany; i++) {
      onlyInAgent("other" + i, "ed25519");
    }
    Path key = onlyInAgent("key", "ed25519");
    door.allow(key);
    LinkException e = catchThrowableOfType(LinkException.class, () -> desk.connect(door));
    assertThat(e).hasMessageContaining("Too many authentication failures");
    assertThat(e).hasMessageContaining("IdentitiesOnly=yes");

    desk.options.add("IdentitiesOnly=yes");
    desk.options.add("IdentityFile=" + key);
    getsIn();
  }

  @Test
  void anEncryptedKeyThatTheAgentHoldsAsksForNothing() throws Exception {
    Path key = Programs.key(desk.ssh.resolve("id_ed25519"), "ed25519");
    add(key);
    Programs.run("ssh-keygen", "-q", "-p", "-N", "secret", "-f", key.toString());
    door.allow(key);
    desk.options.add("BatchMode=yes");
    getsIn();
  }

  @Test
  void anAgentThatIsGoneIsNoReasonNotToTryTheFiles() throws Exception {
    door.allow(Programs.key(desk.ssh.resolve("id_ed25519"), "ed25519"));
    desk.variables.put("SSH_AUTH_SOCK", directory.resolve("nowhere").toString());
    getsIn();
  }
}
