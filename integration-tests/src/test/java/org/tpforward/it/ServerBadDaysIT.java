package org.tpforward.it;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.tpforward.demo.BigFile;
import org.tpforward.harness.AgentProcess;
import org.tpforward.harness.Login;
import org.tpforward.harness.PrivateBus;
import org.tpforward.harness.PrivateServer;
import org.tpforward.harness.Proc;
import org.tpforward.harness.World;

/** tpforward-server killed, its disk full, its bus gone: what is said, and that it comes back. */
@NeedsSides
class ServerBadDaysIT {
  private static final String AUDIT = "/tmp/audit";

  private World world;

  @BeforeEach
  void open() {
    world = World.apartWithServer("--profile", "gabble");
    TpClient.install(world.desktop());
    TpClient.install(world.server());
  }

  @AfterEach
  void close() {
    world.close();
  }

  private static Proc.Result list(Login login) {
    return login.run("busctl", "--user", "list");
  }

  @Test
  void killedInTheMiddleItLeavesNothingAndTheNextOneGoesOn() throws IOException {
    Path directory = world.server().path("/run/user/20002/tpforward-server-2222");
    String source = world.serv().home() + "/big";
    BigFile.write(world.server().path(source), 2);
    world.server().admin().run("chmod", "644", source).ok();
    Login halfway = world.serv().with("TPCLIENT_PAUSE", "half");
    try (AgentProcess agent = world.agent();
        TubeAccount dave = TubeAccount.start(world.serv(), "dave");
        TubeAccount alice = TubeAccount.start(agent.client(), "alice")) {
      alice.ask("offer tube dave 0:0 ANSWER");
      dave.ask("accept tube 0:0");
      assertThat(sockets(directory)).hasSize(1);
      Login desk = agent.client();
      try (Proc receive =
              TpClient.start(desk, "raw-receive", "bob", desk.home(), "1", "unix", "localhost");
          Proc send =
              startOnceReady(
                  receive, halfway, "raw-send", "carol", "bob", source, "unix", "localhost")) {
        receive.awaitLine("^accepted");
        send.awaitLine("^paused");
        world.own().daemon().signal("KILL");
        receive.awaitLine("^(eof|broken) after");
        // A part never looks like the whole.
        assertThat(receive.linesSince(0, "^bus closed|^state 5|^(eof|broken) after").getFirst())
            .doesNotStartWith("eof")
            .doesNotStartWith("broken");
      }
      agent.proc().awaitLine("link to .* is lost");
      try (PrivateServer next = PrivateServer.start(world.serv(), 2222)) {
        assertThat(sockets(directory)).isEmpty();
        assertThat(list(agent.client()).ok().out()).contains("org.freedesktop.DBus");
        next.daemon().signal("TERM");
        assertThat(next.daemon().await().status()).isZero();
      }
    }
    assertThat(directory).doesNotExist();
  }

  @Test
  void killedWithABusOfItsOwnItTakesThatAndItsManagersAlong() {
    Login serv = world.serv();
    Managers.install(serv);
    Path listening = world.server().path(serv.runtimeDir() + "/tpforward-server-2290");
    Path bus = listening.resolveSibling(listening.getFileName() + ".bus");
    List<ProcessHandle> others = world.sides().server().processes();
    for (int i = 0; i < 2; i++) { // The second time beside what the first has left.
      try (PrivateServer server = PrivateServer.start(serv, 2290, "--spawn-bus")) {
        server.authorize(world.desk(), "serv");
        try (SshForward forward = new SshForward(world.desk(), "/bus")) {
          assertThat(Managers.protocols(forward.bus())).contains("loopback");
          assertThat(commandsBeside(others))
              .anyMatch(command -> command.contains("dbus-daemon"))
              .anyMatch(command -> command.contains("LoopbackCm"));
          server.daemon().signal("KILL");
          Eventually.holds(() -> commandsBeside(others), List::isEmpty);
        }
      }
      assertThat(bus.resolve("bus.conf")).exists();
    }
    try (PrivateServer next = PrivateServer.start(serv, 2290)) {
      assertThat(bus).doesNotExist();
      next.daemon().signal("TERM");
      assertThat(next.daemon().await().status()).isZero();
    }
    assertThat(listening).doesNotExist();
  }

  /** What runs on the server and is none of these. */
  private List<String> commandsBeside(List<ProcessHandle> others) {
    return world.sides().server().processes().stream()
        .filter(process -> !others.contains(process))
        .map(process -> process.info().commandLine().orElse(""))
        .toList();
  }

  private static Proc startOnceReady(Proc receive, Login login, String... arguments) {
    receive.awaitLine("^ready");
    return TpClient.start(login, arguments);
  }

  private static List<Path> sockets(Path directory) throws IOException {
    try (Stream<Path> files = Files.list(directory)) {
      return files.filter(file -> !file.endsWith(".lock") && !Files.isRegularFile(file)).toList();
    }
  }

  @Test
  void aFullDiskEndsNoSessionAndTheAuditGoesOnInWholeLines() throws IOException {
    Login admin = world.server().admin();
    admin
        .run("sh", "-ec", "mkdir $1 && mount -t tmpfs -o size=8k,mode=777 tmpfs $1", "sh", AUDIT)
        .ok();
    try (PrivateServer server =
        PrivateServer.start(world.serv(), 2280, "--audit=" + AUDIT + "/log")) {
      server.authorize(world.desk(), "serv");
      Path log = world.server().path(AUDIT + "/log");
      // Each one that is refused is a line; the file system is full after some dozens.
      try (SshForward nowhere = new SshForward(world.desk(), "/nowhere")) {
        while (server.daemon().linesSince(0, "the audit cannot be written: No space").isEmpty()) {
          assertThat(nowhere.hello()).isEqualTo("b''");
        }
      }
      try (SshForward bus = new SshForward(world.desk(), "/bus")) {
        list(bus.bus()).ok();
        assertThat(server.daemon().linesSince(0, "the audit cannot be written")).hasSize(1);
        admin.run("mount", "-o", "remount,size=1m", AUDIT).ok();
      }
      server.daemon().awaitLine("the audit can be written again; \\d+ lines are lost");
      Eventually.holds(() -> last(log), line -> line.contains("\"event\":\"logout\""));
      List<String> lines = Files.readAllLines(log);
      assertThat(lines.stream().filter(ServerBadDaysIT::isWhole)).hasSizeGreaterThan(10);
      assertThat(lines).noneMatch(line -> line.lastIndexOf("{\"time\"") > 0);
    }
  }

  private static boolean isWhole(String line) {
    return line.startsWith("{\"time\":") && line.endsWith("}");
  }

  private static String last(Path log) {
    try {
      return Files.readAllLines(log).getLast();
    } catch (IOException e) {
      throw new java.io.UncheckedIOException(e);
    }
  }

  @Test
  void aBusThatIsStartedAgainIsGivenOutOnTheSameLogin() {
    try (SshForward forward = new SshForward(world.desk(), "/bus")) {
      list(forward.bus()).ok();
      world.bus().close();
      long mark = world.own().daemon().mark();
      assertThat(list(forward.bus()).status()).isNotZero();
      world
          .own()
          .daemon()
          .awaitLine(
              "\"event\":\"refused\".*\"target\":\"/bus\".*the bus at .* cannot be reached", mark);
      try (PrivateBus again = PrivateBus.start(world.serv(), "--profile", "gabble");
          TubeAccount bob = TubeAccount.start(again.login(), "bob");
          TubeAccount alice = TubeAccount.start(forward.bus(), "alice")) {
        // What is handed out on the new one is known too.
        bob.ask("offer echo alice 0:0 ECHO");
        String path = alice.ask("accept echo 0:0").split(" unix:", 2)[1];
        try (SshForward echo = new SshForward(world.desk(), path)) {
          assertThat(echo.hello()).isEqualTo("b'hello'");
        }
      }
    }
  }
}
