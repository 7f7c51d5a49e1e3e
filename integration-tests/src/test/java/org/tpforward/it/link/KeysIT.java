package org.tpforward.it.link;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
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

/** Which keys open the server's door. */
@EitherServer
class KeysIT {
  @TempDir Path directory;
  Door door;
  Desk desk;

  @BeforeEach
  void start() throws Exception {
    door = Door.open(directory.resolve("server"));
    desk = new Desk(directory.resolve("home")).knows(door.knownHost("ed25519"));
  }

  @AfterEach
  void stop() throws Exception {
    door.close();
  }

  private void getsIn() throws Exception {
    try (SshLink link = desk.connect(door)) {
      assertThat(link.state()).isInstanceOf(LinkState.Up.class);
      if (door instanceof Sshd) { // The other one runs no commands.
        assertThat(link.shell().exec("echo in", 100).output()).isEqualTo("in\n");
      }
    }
  }

  private LinkException refused() {
    return catchThrowableOfType(LinkException.class, () -> desk.connect(door));
  }

  @ParameterizedTest
  @ValueSource(strings = {"ed25519", "ecdsa", "rsa"})
  void takesTheDefaultKeysOfTheHomeDirectory(String type) throws Exception {
    door.allow(Programs.key(desk.ssh.resolve("id_" + type), type));
    getsIn();
  }

  @Test
  void takesAKeyNamedOnTheCommandLineAndOneInPemFormat() throws Exception {
    Path key = directory.resolve("pem");
    Programs.run("ssh-keygen", "-q", "-t", "rsa", "-m", "PEM", "-N", "", "-f", key.toString());
    Files.delete(Path.of(Files.move(Path.of(key + ".pub"), Path.of(key + ".x")) + ""));
    door.authorize(Programs.run("ssh-keygen", "-y", "-f", key.toString()).strip());
    desk.identities.add(key.toString());
    getsIn();
  }

  @ParameterizedTest
  @ValueSource(strings = {"RFC4716", "PKCS8", "PEM"})
  void asksAskpassForThePassphraseOfAnEncryptedKey(String format) throws Exception {
    Path key = desk.ssh.resolve("id_ecdsa");
    Programs.run(
        "ssh-keygen", "-q", "-t", "ecdsa", "-m", format, "-N", "open sesame", "-f", key.toString());
    door.allow(key);
    Path asked = directory.resolve("asked");
    Path askpass =
        Programs.script(
            directory.resolve("askpass"), "echo \"$1\" >> " + asked, "echo 'open sesame'");
    desk.variables.put("SSH_ASKPASS", askpass.toString());
    desk.variables.put("SSH_ASKPASS_REQUIRE", "force");
    getsIn();
    assertThat(Files.readString(asked)).isEqualTo("Enter passphrase for key '" + key + "': \n");
  }

  @Test
  void doesNotAskForThePassphraseOfAKeyThatTheServerDoesNotWant() throws Exception {
    Programs.key(desk.ssh.resolve("id_rsa"), "rsa", "secret");
    door.allow(Programs.key(desk.ssh.resolve("id_ed25519"), "ed25519"));
    Path asked = directory.resolve("asked");
    Path askpass = Programs.script(directory.resolve("askpass"), "echo \"$1\" >> " + asked);
    desk.variables.put("SSH_ASKPASS", askpass.toString());
    desk.variables.put("SSH_ASKPASS_REQUIRE", "force");
    getsIn();
    assertThat(asked).doesNotExist();
  }

  @Test
  void goesOnWithTheNextKeyWhenThePassphraseIsWrong() throws Exception {
    Path encrypted = Programs.key(desk.ssh.resolve("id_rsa"), "rsa", "secret");
    door.allow(encrypted);
    door.allow(Programs.key(desk.ssh.resolve("id_ed25519"), "ed25519"));
    desk.variables.put(
        "SSH_ASKPASS", Programs.script(directory.resolve("askpass"), "echo no").toString());
    desk.variables.put("SSH_ASKPASS_REQUIRE", "force");
    getsIn();
  }

  @Test
  void saysThatAnEncryptedKeyHadNoPassphraseUnderBatchMode() throws Exception {
    door.allow(Programs.key(desk.ssh.resolve("id_rsa"), "rsa", "secret"));
    desk.options.add("BatchMode=yes");
    LinkException e = refused();
    assertThat(e.reason()).isEqualTo(LinkException.Cause.AUTH_FAILED);
    assertThat(e).hasMessageContaining("no passphrase was given");
  }

  @Test
  void namesTheServersMethodsWhenNoKeyIsAccepted() throws Exception {
    door.allow(Programs.key(directory.resolve("other"), "ed25519"));
    Programs.key(desk.ssh.resolve("id_ed25519"), "ed25519");
    LinkException e = refused();
    assertThat(e.reason()).isEqualTo(LinkException.Cause.AUTH_FAILED);
    assertThat(e).hasMessageContaining("Permission denied (publickey)");
    assertThat(e).hasMessageContaining("none of the 1 keys");
  }

  @Test
  void saysThatThereIsNoKeyAtAll() {
    assertThat(refused()).hasMessageContaining("no key was found");
  }

  @Test
  void doesNotUseAKeyThatOthersCanRead() throws Exception {
    Path key = Programs.key(desk.ssh.resolve("id_ed25519"), "ed25519");
    door.allow(key);
    Files.setPosixFilePermissions(key, PosixFilePermissions.fromString("rw-r--r--"));
    assertThat(refused()).hasMessageContaining("others can read it");
  }

  @Test
  void takesACertificateThatLiesBesideItsKey() throws Exception {
    Path authority = Programs.key(directory.resolve("ca"), "ed25519");
    door.authorize("cert-authority,principals=\"me\" " + Programs.publicKey(authority));
    for (String type : new String[] {"ed25519", "rsa"}) {
      Path key = Programs.key(desk.ssh.resolve("id_" + type), type);
      Programs.run(
          "ssh-keygen", "-q", "-s", authority.toString(), "-I", "it", "-n", "me", key + ".pub");
      getsIn();
      Files.delete(key);
    }
  }

  @Test
  void takesACertificateNamedByCertificateFile() throws Exception {
    Path authority = Programs.key(directory.resolve("ca"), "ed25519");
    door.authorize("cert-authority,principals=\"me\" " + Programs.publicKey(authority));
    Path key = Programs.key(desk.ssh.resolve("id_ed25519"), "ed25519");
    Programs.run(
        "ssh-keygen", "-q", "-s", authority.toString(), "-I", "it", "-n", "me", key + ".pub");
    Path elsewhere = Files.move(Path.of(key + "-cert.pub"), directory.resolve("cert"));
    desk.options.add("CertificateFile=" + elsewhere);
    getsIn();
  }
}
