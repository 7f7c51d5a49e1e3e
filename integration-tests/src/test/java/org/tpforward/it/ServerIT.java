package org.tpforward.it;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.tpforward.harness.AgentProcess;
import org.tpforward.harness.Login;
import org.tpforward.harness.PrivateServer;
import org.tpforward.harness.Proc;
import org.tpforward.harness.World;

/** tpforward-server as its users and its operator see it, with OpenSSH's own client. */
@NeedsSides
class ServerIT {
  private static final String CM = "org.freedesktop.Telepathy.ConnectionManager.loopback";

  private static final String CM_PATH = "/" + CM.replace('.', '/');
  private static final String BUS = "org.freedesktop.DBus";
  private static final String PROTOCOLS =
      "org.freedesktop.Telepathy.ConnectionManager.ListProtocols";

  private static World world;
  private static Login desk;

  @BeforeAll
  static void open() {
    world = World.apartWithServer("--profile", "full");
    desk = world.desk();
    TpClient.install(world.desktop());
    TpClient.install(world.server());
  }

  @AfterAll
  static void close() {
    world.close();
  }

  private static Proc.Result ssh(String... arguments) {
    return desk.run(SshForward.command(arguments));
  }

  private static String call(Login bus, String name, String path, String method) {
    return bus.run(
            "gdbus", "call", "--session", "--dest", name, "--object-path", path, "--method", method)
        .ok()
        .out();
  }

  private static long mark() {
    return world.own().daemon().mark();
  }

  private static void audited(long mark, String regex) {
    world.own().daemon().awaitLine("^\\{\"time\":.*" + regex, mark);
  }

  @ParameterizedTest
  @ValueSource(strings = {"/bus", "/run/user/20002/bus", "/run/user/7/bus"})
  void opensshForwardsTheBusUnderAnyOfItsNames(String path) {
    long mark = mark();
    try (SshForward forward = new SshForward(desk, path)) {
      assertThat(call(forward.bus(), BUS, "/org/freedesktop/DBus", BUS + ".ListActivatableNames"))
          .contains(CM);
      assertThat(call(forward.bus(), CM, CM_PATH, PROTOCOLS)).contains("loopback");
      audited(mark, "\"event\":\"login\".*\"user\":\"key SHA256:");
      audited(mark, "\"event\":\"channel\".*\"target\":\"" + path + "\",\"peer\":\"bus\"");
    }
    audited(mark, "\"event\":\"logout\"");
  }

  @Test
  void runsNoShellAndNoCommandsAndSaysSo() {
    long mark = mark();
    Proc.Result shell = ssh("server");
    assertThat(shell.status()).isNotZero();
    assertThat(shell.err()).contains("no shell and no commands here");
    Proc.Result command = ssh("server", "id");
    assertThat(command.out()).isEmpty();
    assertThat(command.err()).contains("no shell and no commands here");
    Proc.Result subsystem = ssh("-s", "server", "sftp");
    assertThat(subsystem.err()).contains("no shell and no commands here");
    audited(mark, "\"event\":\"refused\".*\"type\":\"session\"");
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "/etc/passwd",
        "/run/user/20002/../20002/bus",
        "/run/user/20002/systemd/private",
        "/home/serv/socket"
      })
  void reachesNoOtherSocket(String path) {
    if (path.equals("/home/serv/socket")) {
      // One that is really there, and that the server could connect to.
      world.serv().run("rm", "-f", path).ok();
    }
    long mark = mark();
    try (Proc listener = listener(path);
        SshForward forward = new SshForward(desk, path)) {
      assertThat(forward.hello()).isEqualTo("b''");
      audited(mark, "\"event\":\"refused\".*no connection manager has handed that out");
      assertThat(listener.isAlive()).isTrue();
      // The session lives on.
      assertThat(forward.hello()).isEqualTo("b''");
    }
  }

  private static Proc listener(String path) {
    String script =
        """
        import socket, sys
        s = socket.socket(socket.AF_UNIX)
        if sys.argv[1].startswith('/home/'): s.bind(sys.argv[1])
        else: s.bind('')
        s.listen()
        print('listening', flush=True)
        c, _ = s.accept()
        c.sendall(b'secret')
        print('reached', flush=True)
        """;
    Proc proc = world.serv().start("python3", "-c", script, path);
    proc.awaitLine("listening");
    return proc;
  }

  @ParameterizedTest
  @ValueSource(strings = {"127.0.0.1:22", "192.0.2.2:2222", "localhost:2222", "example.org:80"})
  void reachesNoPort(String target) {
    long mark = mark();
    Proc.Result result = ssh("-W", target, "server");
    assertThat(result.status()).isNotZero();
    assertThat(result.err()).contains("administratively prohibited");
    audited(mark, "\"event\":\"refused\".*\"type\":\"direct-tcpip\"");
  }

  @Test
  void listensNowhereButInItsOwnDirectoryAndOnLoopback() {
    long mark = mark();
    for (String place :
        List.of(
            "/home/serv/there", "/tmp/there", "0.0.0.0:4000", "127.0.0.1:1000", "127.0.0.2:0")) {
      String port = place.equals("127.0.0.2:0") ? "192.0.2.2:0" : place;
      Proc.Result result = ssh("-N", "-R", port + ":/tmp/nowhere", "server");
      assertThat(result.status()).as(place).isNotZero();
    }
    audited(mark, "\"event\":\"refused\".*this server listens in ");
  }

  @Test
  void aKeyThatIsNotKnownIsRefusedAndTold() {
    long mark = mark();
    desk.run("ssh-keygen", "-q", "-t", "ecdsa", "-N", "", "-f", "unknown").ok();
    List<String> bare =
        List.of(
            "ssh",
            "-F",
            "none",
            "-o",
            "BatchMode=yes",
            "-o",
            "IdentitiesOnly=yes",
            "-o",
            "UserKnownHostsFile=.ssh/known_hosts",
            "-i",
            "unknown",
            "-p",
            "2222",
            "serv@192.0.2.2");
    Proc.Result result = desk.run(bare);
    assertThat(result.status()).isEqualTo(255);
    assertThat(result.err()).contains("Permission denied (publickey)");
    audited(mark, "\"event\":\"login refused\".*\"why\":\"the key is not known\"");
  }

  @Test
  void offersNothingWeak() {
    try (Proc ssh = desk.start(SshForward.command("-vv", "-N", "server"))) {
      ssh.awaitLine("Entering interactive session");
      String said = String.join("\n", ssh.linesSince(0, "."));
      String offered = said.substring(said.indexOf("peer server KEXINIT proposal"));
      String lists = offered.substring(0, offered.indexOf("kex: algorithm"));
      assertThat(lists)
          .contains("kex-strict-s-v00@openssh.com")
          .contains("mlkem768x25519-sha256")
          .contains("sntrup761x25519-sha512")
          .contains("aes256-gcm@openssh.com")
          .doesNotContain("sha1")
          .doesNotContain("ssh-rsa")
          .doesNotContain("cbc")
          .doesNotContain("hmac-sha2-256,");
    }
  }

  @Test
  void certificatesOfATrustedAuthorityLogInAsTheirPrincipals() throws IOException {
    desk.run("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", "ca").ok();
    desk.run("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", "alice").ok();
    desk.run("ssh-keygen", "-q", "-s", "ca", "-I", "alice@desk", "-n", "alice", "alice.pub").ok();
    String key = Files.readString(desk.place().path(desk.home() + "/ca.pub"));
    String directory = world.own().directory();
    Files.writeString(
        world.server().path(directory + "/authorized_keys"),
        "cert-authority " + key,
        StandardOpenOption.APPEND);
    world.own().reload();
    String[] identity = {"-o", "IdentitiesOnly=yes", "-o", "IdentityFile=~/alice"};
    desk.run("sh", "-c", "sed '/IdentityFile/d' .ssh/config >.ssh/bare").ok();
    long mark = mark();
    Proc.Result mallory =
        desk.run(
            "ssh",
            "-F",
            ".ssh/bare",
            identity[0],
            identity[1],
            identity[2],
            identity[3],
            "-l",
            "mallory",
            "server");
    assertThat(mallory.err()).contains("Permission denied");
    audited(mark, "\"why\":\"the certificate is not for mallory\"");
    Proc.Result alice =
        desk.run(
            "ssh",
            "-F",
            ".ssh/bare",
            identity[0],
            identity[1],
            identity[2],
            identity[3],
            "-l",
            "alice",
            "server");
    assertThat(alice.err()).contains("no shell");
    audited(mark, "\"event\":\"login\".*\"user\":\"cert alice\".*id alice@desk");
  }

  @Test
  void theHostKeyIsMadeForItsOwnerOnly() throws IOException {
    var key = world.server().path(world.own().directory() + "/host_key");
    assertThat(PosixFilePermissions.toString(Files.getPosixFilePermissions(key)))
        .isEqualTo("rw-------");
    String print =
        world
            .serv()
            .run("ssh-keygen", "-l", "-f", world.own().directory() + "/host_key")
            .ok()
            .out()
            .split(" ", -1)[1];
    world.own().daemon().awaitLine("host key ed25519 " + print.replace("+", "\\+"));
  }

  @Test
  void aSecondOneOnTheSamePortSaysSoInOneLine() {
    String other = "--listen-directory=/run/user/20002/other";
    try (Proc second = PrivateServer.launch(world.serv(), world.own().port(), other)) {
      Proc.Result result = second.await();
      assertThat(result.status()).isEqualTo(3);
      assertThat(result.err().lines().filter(line -> line.startsWith("tpforward-server:")))
          .singleElement()
          .asString()
          .contains("cannot listen on 192.0.2.2:2222")
          .contains("another");
    }
    assertThat(world.server().path("/run/user/20002/other")).doesNotExist();
  }

  @Test
  void endsBySigtermAndLeavesNothing() {
    Login serv = world.serv();
    try (PrivateServer server = PrivateServer.start(serv, 2223)) {
      var directory = world.server().path("/run/user/20002/tpforward-server-2223");
      assertThat(directory).exists();
      Proc.signal(server.daemon().handle(), "TERM");
      assertThat(server.daemon().await().status()).isZero();
      assertThat(directory).doesNotExist();
    }
    // What one that is killed leaves is no matter to the next.
    try (PrivateServer server = PrivateServer.start(serv, 2223)) {
      Proc.signal(server.daemon().handle(), "KILL");
      server.daemon().await();
    }
    PrivateServer.start(serv, 2223).close();
  }

  @Test
  void servesOnASocketThatListensAlreadyAsSystemdGivesIt() {
    String script =
        """
        import os, socket, sys
        s = socket.create_server(('192.0.2.2', 2250))
        os.dup2(s.fileno(), 0)
        os.execvp(sys.argv[1], sys.argv[1:])
        """;
    List<String> command = new ArrayList<>(List.of("python3", "-c", script));
    command.addAll(PrivateServer.command(world.serv(), 2222, "--listen=-"));
    try (Proc server = world.serv().start(command)) {
      server.awaitLine("listening on port 2250");
      assertThat(ssh("-p", "2250", "-o", "HostKeyAlias=[192.0.2.2]:2222", "server").err())
          .contains("no shell and no commands here");
    }
  }

  @Test
  void startsABusOfItsOwnWithNothingButManagers() {
    Login serv = world.serv();
    Managers.install(serv);
    serv.run(
            "sh",
            "-c",
            "printf '[D-BUS Service]\\nName=org.example.Other\\nExec=/bin/true\\n'"
                + " >.local/share/dbus-1/services/org.example.Other.service")
        .ok();
    long pid;
    var directory = world.server().path("/run/user/20002/tpforward-server-2260.bus");
    try (PrivateServer server = PrivateServer.start(serv, 2260, "--spawn-bus")) {
      server.authorize(desk, "serv");
      assertThat(directory.resolve("services/" + CM + ".service")).isSymbolicLink();
      assertThat(directory.resolve("services/org.example.Other.service")).doesNotExist();
      try (SshForward forward = new SshForward(desk, "/bus")) {
        assertThat(call(forward.bus(), CM, CM_PATH, PROTOCOLS)).contains("loopback");
      }
      world.own().authorize(desk, "serv");
      pid = server.daemon().handle().children().findFirst().orElseThrow().pid();
      Proc.signal(server.daemon().handle(), "TERM");
      assertThat(server.daemon().await().status()).isZero();
    }
    assertThat(directory).doesNotExist();
    assertThat(ProcessHandle.of(pid).filter(ProcessHandle::isAlive)).isEmpty();
  }

  @Test
  void showsCountersToPrometheus() {
    try (PrivateServer server =
        PrivateServer.start(world.serv(), 2270, "--metrics=127.0.0.1:2271")) {
      String script =
          "import urllib.request as u;"
              + " print(u.urlopen('http://127.0.0.1:2271/metrics').read().decode())";
      assertThat(world.serv().run("python3", "-c", script).ok().out())
          .contains("tpforward_server_logins_total 0\n");
      assertThat(server.daemon().isAlive()).isTrue();
    }
  }

  @Test
  void checksAConfigurationWithoutServing() throws IOException {
    String directory = world.own().directory();
    String program = world.server().program() + "/bin/tpforward-server";
    Files.writeString(
        world.server().path(directory + "/config"),
        "listen 192.0.2.2:2222\nhost-key "
            + directory
            + "/host_key\nauthorized-keys "
            + directory
            + "/authorized_keys\n");
    List<String> check = List.of(program, "check", "--config", directory + "/config");
    assertThat(world.serv().run(check).ok().out()).startsWith("good: ");
    List<String> wrong = new ArrayList<>(check);
    wrong.add("--bus=unix:path=/run/nothing");
    Proc.Result result = world.serv().run(wrong);
    assertThat(result.status()).isEqualTo(2);
    assertThat(result.err()).contains("the bus at unix:/run/nothing cannot be reached");
  }

  @Test
  void theAgentFindsTheBusByWhatTheServerAnnounces() {
    long mark = mark();
    try (AgentProcess agent = world.agent()) {
      assertThat(call(agent.client(), CM, CM_PATH, PROTOCOLS)).contains("loopback");
    }
    audited(mark, "\"event\":\"logout\"");
    assertThat(world.own().daemon().linesSince(mark, "\"event\":\"refused\""))
        .as("what an agent does of its own accord is allowed")
        .isEmpty();
  }

  @Test
  void tubesGoBothWaysUnderTheAccessControlThatSshdCannotKeep() {
    long mark = mark();
    try (AgentProcess agent = world.agent("--name", "tubes")) {
      tube(world.serv(), agent.client(), "inward");
      audited(mark, "\"type\":\"direct-streamlocal@openssh.com\".* CREDENTIALS\"");
      tube(agent.client(), world.serv(), "outward");
      audited(mark, "\"type\":\"forwarded-streamlocal@openssh.com\"");
    }
    assertThat(world.server().path("/run/user/20002/tpforward-server-2222"))
        .isDirectoryNotContaining("regex:.*/[0-9a-f]{16}");
  }

  private static void tube(Login offering, Login accepting, String service) {
    try (Proc accept =
        TpClient.start(accepting, "tube-accept", service + "-b", service, "300000")) {
      accept.awaitLine("^connected");
      try (Proc offer =
          TpClient.start(offering, "tube-offer", service + "-a", service + "-b", service, "1")) {
        accept.await().ok();
        offer.await().ok();
      }
    }
  }
}
