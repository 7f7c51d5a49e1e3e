package org.tpforward.it.link;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.tpforward.agent.link.LinkException;
import org.tpforward.agent.link.SshLink;

/**
 * The user's ssh configuration is followed, with ssh installed and without. Of sshd, which is a
 * jump host too: what is read here does not depend on whose server it is.
 */
class ConfigIT {
  @TempDir Path directory;
  Sshd sshd;
  Desk desk;

  @BeforeEach
  void start() throws Exception {
    sshd = Sshd.start(directory.resolve("server"));
    desk = new Desk(directory.resolve("home")).knows(sshd.knownHost("ed25519"));
    sshd.allow(Programs.key(desk.ssh.resolve("id_ed25519"), "ed25519"));
  }

  @AfterEach
  void stop() throws Exception {
    sshd.close();
  }

  private void getsInto(String destination) throws Exception {
    try (SshLink link = desk.link(destination)) {
      link.connect();
      assertThat(link.shell().exec("echo in", 100).output()).isEqualTo("in\n");
    }
  }

  /** A directory for the PATH in which there is no ssh. */
  private void withoutSsh() throws Exception {
    desk.variables.put("PATH", Files.createDirectories(directory.resolve("bin")).toString());
  }

  @ParameterizedTest
  @ValueSource(booleans = {true, false})
  void followsHostMatchAndInclude(boolean ssh) throws Exception {
    if (!ssh) {
      withoutSsh();
    }
    Files.createDirectories(desk.ssh.resolve("conf.d"));
    Files.writeString(
        desk.ssh.resolve("conf.d/10-cm.conf"),
        "Host cm*\n  HostName 127.0.0.1\nMatch originalhost cm1\n  Port " + sshd.port() + "\n");
    Path key = Files.move(desk.ssh.resolve("id_ed25519"), desk.ssh.resolve("special"));
    Files.delete(desk.ssh.resolve("id_ed25519.pub"));
    desk.config(
        "Include conf.d/*.conf",
        "Host other",
        "  IdentityFile ~/.ssh/nothing",
        "Match host 127.0.0.1",
        "  IdentityFile ~/.ssh/" + key.getFileName(),
        "  UserKnownHostsFile ~/.ssh/hosts-%n",
        "Host *",
        "  User " + System.getProperty("user.name"),
        "  Port 1");
    Files.move(desk.knownHosts(), desk.ssh.resolve("hosts-cm1"));
    getsInto("cm1");
  }

  @Test
  void theCommandLineWinsOverTheFile() throws Exception {
    desk.config("Host *", "Port 1", "User nobody");
    getsInto("ssh://" + System.getProperty("user.name") + "@127.0.0.1:" + sshd.port());
  }

  @Test
  void aConfigurationThatSshRefusesIsAnErrorThatNamesTheLine() throws Exception {
    desk.config("Host *", "NoSuchOption yes");
    LinkException e = catchThrowableOfType(LinkException.class, () -> desk.link(sshd));
    assertThat(e.reason()).isEqualTo(LinkException.Cause.CONFIGURATION);
    assertThat(e).hasMessageContaining("line 2").hasMessageContaining("nosuchoption");
  }

  @Test
  void algorithmsOfTheConfigurationAreUsed() throws Exception {
    desk.config(
        "Host *", "Ciphers aes256-ctr", "MACs hmac-sha2-512", "KexAlgorithms curve25519-sha256");
    getsInto("127.0.0.1:" + sshd.port());
    assertThat(sshd.log())
        .contains("kex: algorithm: curve25519-sha256")
        .contains("cipher: aes256-ctr MAC: hmac-sha2-512");
  }

  @Test
  void connectsThroughAProxyCommandAndLeavesNothingOfIt() throws Exception {
    Path pid = directory.resolve("pid");
    desk.config(
        "Host cm",
        "HostName 127.0.0.1",
        "Port " + sshd.port(),
        "ProxyCommand sh -c 'echo $$ > " + pid + "; exec python3 " + relay() + " %h %p'");
    Path temporary = Path.of(System.getProperty("java.io.tmpdir"));
    try (SshLink link = desk.link("cm")) {
      link.connect();
      assertThat(link.shell().exec("echo in", 100).output()).isEqualTo("in\n");
      try (Stream<Path> files = Files.list(temporary)) {
        assertThat(files.filter(f -> f.getFileName().toString().startsWith("tpforward-proxy")))
            .isEmpty();
      }
    }
    long process = Long.parseLong(Files.readString(pid).strip());
    ProcessHandle.of(process).ifPresent(p -> p.onExit().join());
  }

  /** A program that connects its standard input and output to a port. */
  private String relay() throws Exception {
    Path program = directory.resolve("relay.py");
    Files.writeString(
        program,
        """
        import os, socket, sys, threading
        s = socket.create_connection((sys.argv[1], int(sys.argv[2])))
        def up():
            while True:
                b = os.read(0, 65536)
                if not b:
                    s.shutdown(socket.SHUT_WR)
                    return
                s.sendall(b)
        threading.Thread(target=up, daemon=True).start()
        while True:
            b = s.recv(65536)
            if not b:
                break
            os.write(1, b)
        """);
    return program.toString();
  }

  @Test
  void connectsThroughAJumpHost() throws Exception {
    Path jumpDirectory = Files.createDirectories(directory.resolve("jump"));
    try (Sshd jump = Sshd.start(jumpDirectory)) {
      jump.allow(desk.ssh.resolve("id_ed25519"));
      desk.knows(sshd.knownHost("ed25519") + jump.knownHost("ed25519"));
      desk.config(
          "Host jump",
          "HostName 127.0.0.1",
          "Port " + jump.port(),
          "IdentityFile " + desk.ssh.resolve("id_ed25519"),
          "UserKnownHostsFile " + desk.knownHosts(),
          "Host cm",
          "HostName 127.0.0.1",
          "Port " + sshd.port(),
          "ProxyJump jump");
      getsInto("cm");
      assertThat(jump.log()).contains("direct-tcpip");
    }
  }

  @Test
  void saysWhatTheProxySaidWhenItFails() throws Exception {
    desk.config("Host *", "ProxyCommand sh -c 'echo the tunnel is shut >&2; exit 7'");
    LinkException e = catchThrowableOfType(LinkException.class, () -> desk.link("cm").connect());
    assertThat(e.reason()).isEqualTo(LinkException.Cause.PROXY_FAILED);
    assertThat(e).hasMessageContaining("ended with status 7: the tunnel is shut");
  }

  @Test
  void aProxyJumpWithoutSshSaysSo() throws Exception {
    withoutSsh();
    desk.config("Host *", "ProxyJump other");
    LinkException e = catchThrowableOfType(LinkException.class, () -> desk.link("cm"));
    assertThat(e).hasMessageContaining("ProxyJump needs the program ssh");
  }
}
