package org.tpforward.it.link;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.net.StandardProtocolFamily;
import java.net.UnixDomainSocketAddress;
import java.nio.ByteBuffer;
import java.nio.channels.ServerSocketChannel;
import java.nio.channels.SocketChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.concurrent.FutureTask;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.tpforward.agent.link.ChannelRefusedException;
import org.tpforward.agent.link.LinkException;
import org.tpforward.agent.link.LinkTimes;
import org.tpforward.agent.link.RemoteBus;
import org.tpforward.agent.link.RemoteShell;
import org.tpforward.agent.link.SshLink;
import org.tpforward.relay.Duplex;
import org.tpforward.socket.Endpoint;

/** What servers allow, forbid and are not: each is told apart. */
class ServersIT {
  @TempDir Path directory;
  Desk desk;
  Path key;
  Sshd sshd;

  @BeforeEach
  void start() throws Exception {
    desk = new Desk(directory.resolve("home"));
    key = Programs.key(desk.ssh.resolve("id_ed25519"), "ed25519");
    sshd = serve();
  }

  private Sshd serve(String... config) throws Exception {
    Sshd server = Sshd.start(directory.resolve("server"), config);
    Files.deleteIfExists(directory.resolve("server/authorized_keys"));
    server.allow(key);
    desk.knows(server.knownHost("ed25519"));
    return server;
  }

  @AfterEach
  void stop() throws Exception {
    sshd.close();
  }

  private SshLink connect(String... config) throws Exception {
    sshd.restart(config);
    return desk.connect(sshd);
  }

  private LinkException refused(String destination) {
    return catchThrowableOfType(LinkException.class, () -> desk.link(destination).connect());
  }

  @Test
  void opensChannelsToUnixSocketsAndLoopbackPorts() throws Exception {
    Path path = directory.resolve("socket");
    try (SshLink link = connect();
        ServerSocketChannel unix = ServerSocketChannel.open(StandardProtocolFamily.UNIX);
        ServerSocket tcp = new ServerSocket(0, 1, InetAddress.ofLiteral("127.0.0.1"))) {
      unix.bind(UnixDomainSocketAddress.of(path));
      try (Duplex channel = link.open(new Endpoint.UnixPath(path.toString()));
          SocketChannel far = unix.accept()) {
        channel.write(ByteBuffer.wrap("hello".getBytes(StandardCharsets.US_ASCII)));
        ByteBuffer read = ByteBuffer.allocate(5);
        while (read.hasRemaining()) {
          assertThat(far.read(read)).isPositive();
        }
        assertThat(new String(read.array(), StandardCharsets.US_ASCII)).isEqualTo("hello");
      }
      InetAddress loopback = InetAddress.ofLiteral("127.0.0.1");
      try (Duplex channel = link.open(new Endpoint.Ip(loopback, tcp.getLocalPort()));
          Socket far = tcp.accept()) {
        far.getOutputStream().write('x');
        assertThat(channel.read(ByteBuffer.allocate(10))).isEqualTo(1);
      }
    }
  }

  @Test
  void aSocketWhereNobodyListensIsConnectFailed() throws Exception {
    try (SshLink link = connect()) {
      ChannelRefusedException e =
          catchThrowableOfType(
              ChannelRefusedException.class,
              () -> link.open(new Endpoint.UnixPath(directory + "/nothing"), 3));
      assertThat(e.reason()).isEqualTo(ChannelRefusedException.Reason.CONNECT_FAILED);
      assertThat(e).hasMessageContaining("nobody listens at unix:" + directory + "/nothing");
      assertThat(link.abilities().unix()).isTrue();
    }
  }

  @Test
  void aServerThatForbidsUnixSocketsIsToldByItsSetting() throws Exception {
    Path path = directory.resolve("bus");
    try (SshLink link = connect("AllowStreamLocalForwarding no");
        ServerSocketChannel unix = ServerSocketChannel.open(StandardProtocolFamily.UNIX)) {
      unix.bind(UnixDomainSocketAddress.of(path));
      LinkException e =
          catchThrowableOfType(
              LinkException.class, () -> RemoteBus.find(link, "unix:path=" + path));
      assertThat(e).hasMessageContaining("AllowStreamLocalForwarding");
      assertThat(e.reason()).isEqualTo(LinkException.Cause.FORWARDING_FORBIDDEN);
      assertThat(link.abilities().unix()).isFalse();
      assertThat(link.shell().exec("echo in", 100).output()).isEqualTo("in\n");
    }
  }

  @Test
  void aServerThatForbidsTcpIsToldByItsSetting() throws Exception {
    try (SshLink link = connect("AllowTcpForwarding no")) {
      ChannelRefusedException e =
          catchThrowableOfType(
              ChannelRefusedException.class,
              () -> link.open(new Endpoint.Ip(InetAddress.ofLiteral("127.0.0.1"), 9)));
      assertThat(e.reason()).isEqualTo(ChannelRefusedException.Reason.PROHIBITED);
      assertThat(e).hasMessageContaining("AllowTcpForwarding");
      assertThat(link.abilities().tcp()).isFalse();
      assertThat(link.abilities().unix()).isTrue();
    }
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "ForceCommand /bin/false",
        "ForceCommand internal-sftp",
        "ForceCommand echo This account is currently not available.",
        "MaxSessions 0"
      })
  void aServerWithoutCommandsIsToldApartAndChannelsStillOpen(String config) throws Exception {
    Path path = directory.resolve("bus");
    try (SshLink link = connect(config);
        ServerSocketChannel unix = ServerSocketChannel.open(StandardProtocolFamily.UNIX)) {
      unix.bind(UnixDomainSocketAddress.of(path));
      assertThatExceptionOfType(RemoteShell.NoExecException.class)
          .isThrownBy(() -> link.shell().script("echo hello", 100));
      LinkException e = catchThrowableOfType(LinkException.class, () -> RemoteBus.find(link, null));
      assertThat(e.reason()).isEqualTo(LinkException.Cause.NO_REMOTE_BUS);
      assertThat(e).hasMessageContaining("--remote-bus");
      assertThat(RemoteBus.find(link, path.toString()).endpoint())
          .isEqualTo(new Endpoint.UnixPath(path.toString()));
    }
  }

  @Test
  void aScriptIsReadByThePosixShellWhateverTheStartUpFilesPrint() throws Exception {
    try (SshLink link = connect()) {
      Path home = Files.createDirectories(directory.resolve("server/home"));
      Files.writeString(home.resolve(".bashrc"), "echo noise; echo more >&2\n");
      RemoteShell.Result result = link.shell().script("echo 'a  \"b'; exit 3", 100);
      assertThat(result.output()).isEqualTo("a  \"b\n");
      assertThat(result.status()).isEqualTo(3);
      Files.delete(home.resolve(".bashrc"));
    }
  }

  @Test
  void outputIsBoundedAndCommandsHaveATimeOut() throws Exception {
    try (SshLink link = connect()) {
      RemoteShell.Result result = link.shell().exec("head -c 1000000 /dev/zero; exit 4", 1000);
      assertThat(result.output()).hasSize(1000);
      assertThat(result.truncated()).isTrue();
      assertThat(result.status()).isEqualTo(4);
      assertThatExceptionOfType(IOException.class)
          .isThrownBy(() -> link.shell().exec("sleep 60", "", Duration.ofMillis(50), 10))
          .withMessageContaining("did not end");
    }
  }

  @Test
  void commandsThatAreDoneCountNoMoreAgainstMaxSessions() throws Exception {
    try (SshLink link = connect("MaxSessions 3")) {
      for (int i = 0; i < 10; i++) {
        assertThat(link.shell().exec("exit " + i, 10).status()).isEqualTo(i);
      }
    }
  }

  /**
   * A bug: where the server allows few commands at a time one was refused while another ran, such
   * as the link's own in the background, or while sshd had not tidied up after the last.
   */
  @Test
  void commandsWaitForEachOtherWhereTheServerAllowsOneAtATime() throws Exception {
    try (SshLink link = connect("MaxSessions 1", "Subsystem sftp internal-sftp")) {
      List<Integer> statuses = Collections.synchronizedList(new ArrayList<>());
      List<FutureTask<Void>> callers = new ArrayList<>();
      for (int i = 0; i < 4; i++) {
        FutureTask<Void> caller =
            new FutureTask<>(() -> {
              for (int status = 0; status < 10; status++) {
                statuses.add(link.shell().exec("exit " + status, 10).status());
              }
              link.files().removeDirectory(link.files().makePrivateDirectory());
              return null;
            });
        callers.add(caller);
        Thread.ofVirtual().start(caller);
      }
      for (FutureTask<Void> caller : callers) {
        caller.get();
      }
      assertThat(statuses).hasSize(40);
      assertThat(statuses.stream().distinct()).hasSize(10);
    }
  }

  @Test
  void directoriesOfServerProcessesThatAreGoneAreRemoved() throws Exception {
    try (SshLink link = connect()) {
      String first = link.files().makePrivateDirectory();
      Path dead = Files.createDirectories(Path.of(first).resolveSibling("tpforward.1.1.dead"));
      Files.createFile(dead.resolve("socket"));
      Path other = Files.createDirectories(Path.of(first).resolveSibling("tpforward.x.1.other"));
      try {
        link.files().removeDirectory(link.files().makePrivateDirectory());
        assertThat(dead).doesNotExist();
        assertThat(other).exists();
        assertThat(Path.of(first)).exists();
      } finally {
        Files.delete(other);
        link.files().removeDirectory(first);
      }
    }
  }

  @Test
  void withoutCommandsAndWithoutSftpThereAreNoRemoteFiles() throws Exception {
    try (SshLink link = connect("ForceCommand /bin/false")) {
      assertThatExceptionOfType(RemoteShell.NoExecException.class)
          .isThrownBy(() -> link.files().makePrivateDirectory());
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {"MaxSessions 2", "ForceCommand internal-sftp"})
  void privateDirectoriesAreMadeListedAndRemovedByExecOrSftp(String config) throws Exception {
    try (SshLink link = connect(config, "Subsystem sftp internal-sftp")) {
      String made = link.files().makePrivateDirectory();
      try {
        assertThat(Files.getPosixFilePermissions(Path.of(made)))
            .hasToString("[OWNER_READ, OWNER_WRITE, OWNER_EXECUTE]");
        Files.createFile(Path.of(made, "it's"));
        Files.createFile(Path.of(made, ".hidden"));
        Files.createFile(Path.of(made, "b"));
        assertThat(link.files().list(made)).containsExactly(".hidden", "b", "it's");
        link.files().unlink(made + "/it's");
        link.files().unlink(made + "/it's");
        assertThat(Path.of(made, "it's")).doesNotExist();
      } finally {
        link.files().removeDirectory(made);
      }
      assertThat(Path.of(made)).doesNotExist();
    }
  }

  @Test
  void findsTheBusThatALoginShellKnows() throws Exception {
    Path path = directory.resolve("bus");
    try (SshLink link = connect();
        ServerSocketChannel unix = ServerSocketChannel.open(StandardProtocolFamily.UNIX)) {
      unix.bind(UnixDomainSocketAddress.of(path));
      Path home = Files.createDirectories(directory.resolve("server/home"));
      Files.writeString(
          home.resolve(".profile"),
          "echo welcome\nexport DBUS_SESSION_BUS_ADDRESS=unix:path=" + path + ",guid=0123\n");
      assertThat(RemoteBus.find(link, null).endpoint())
          .isEqualTo(new Endpoint.UnixPath(path.toString()));
      Files.delete(home.resolve(".profile"));
    }
  }

  @Test
  void aUserWithoutABusIsToldWhatWasTried() throws Exception {
    try (SshLink link = connect()) {
      LinkException e = catchThrowableOfType(LinkException.class, () -> RemoteBus.find(link, null));
      assertThat(e.reason()).isEqualTo(LinkException.Cause.NO_REMOTE_BUS);
      assertThat(e)
          .hasMessageContaining("/run/user/")
          .hasMessageContaining("DBUS_SESSION_BUS_ADDRESS of a login shell: not set")
          .hasMessageContaining("--remote-bus");
    }
  }

  @Test
  void aRemoteBusThatIsNoAddressIsAConfigurationError() throws Exception {
    try (SshLink link = connect()) {
      LinkException e =
          catchThrowableOfType(LinkException.class, () -> RemoteBus.find(link, "nonsense"));
      assertThat(e.reason()).isEqualTo(LinkException.Cause.CONFIGURATION);
    }
  }

  @Test
  void aPortWhereNobodyListensRefuses() throws Exception {
    int port = sshd.port();
    sshd.close();
    LinkException e = refused("127.0.0.1:" + port);
    assertThat(e.reason()).isEqualTo(LinkException.Cause.CONNECTION_REFUSED);
    assertThat(e).hasMessageContaining("127.0.0.1 port " + port);
  }

  @Test
  void aNameWithoutAddressIsUnknown() {
    LinkException e = refused("no-such-host.invalid");
    assertThat(e.reason()).isEqualTo(LinkException.Cause.UNKNOWN_HOST);
    assertThat(e).hasMessageContaining("no-such-host.invalid");
  }

  @ParameterizedTest
  @ValueSource(strings = {"", "HTTP/1.1 400 Bad Request\r\n\r\n", "\0\1\2"})
  void somebodyElsesServerIsNotSsh(String greeting) throws Exception {
    try (ServerSocket server = new ServerSocket(0, 1, InetAddress.ofLiteral("127.0.0.1"))) {
      Thread.ofVirtual()
          .start(() -> {
            try (Socket client = server.accept()) {
              client.getOutputStream().write(greeting.getBytes(StandardCharsets.US_ASCII));
            } catch (IOException e) {
              // The client's assertion tells.
            }
          });
      LinkException e = refused("127.0.0.1:" + server.getLocalPort());
      assertThat(e.reason()).isEqualTo(LinkException.Cause.NOT_SSH);
      assertThat(e.getMessage()).doesNotContain("\n");
    }
  }

  /** Wherever the reset is met: by the first write, by the first read, or before a session is. */
  @Test
  void aServerThatResetsEachConnectionIsNotSsh() throws Exception {
    try (ServerSocket server = new ServerSocket(0, 50, InetAddress.ofLiteral("127.0.0.1"))) {
      Thread.ofVirtual()
          .start(() -> {
            while (true) {
              try (Socket client = server.accept()) {
                client.setSoLinger(true, 0);
              } catch (IOException e) {
                return;
              }
            }
          });
      for (int i = 0; i < 30; i++) {
        LinkException e = refused("127.0.0.1:" + server.getLocalPort());
        assertThat(e.reason())
            .as("connection %d: %s", i, e.getMessage())
            .isEqualTo(LinkException.Cause.NOT_SSH);
      }
    }
  }

  @Test
  void aServerThatSaysNothingIsGivenUpInTime() throws Exception {
    try (ServerSocket server = new ServerSocket(0, 1, InetAddress.ofLiteral("127.0.0.1"))) {
      desk.times =
          new LinkTimes(
              Duration.ofMillis(300),
              Duration.ofSeconds(5),
              Duration.ofSeconds(5),
              Duration.ofSeconds(5),
              Duration.ofSeconds(5),
              Duration.ofSeconds(5),
              Duration.ofSeconds(5),
              null);
      LinkException e = refused("127.0.0.1:" + server.getLocalPort());
      assertThat(e.reason()).isEqualTo(LinkException.Cause.NOT_SSH);
      assertThat(e).hasMessageContaining("sent no SSH greeting");
    }
  }
}
