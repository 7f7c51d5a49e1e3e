package org.tpforward.it;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.tpforward.demo.BigFile;
import org.tpforward.harness.AgentProcess;
import org.tpforward.harness.Login;
import org.tpforward.harness.Proc;
import org.tpforward.harness.World;

/**
 * The link cut: a part never looks like the whole, and the agent comes back. That an old session is
 * ended at the next connect is sshd's case only, which has a process for each.
 */
@NeedsSides
class LinkLossIT {
  private World world;
  private AgentProcess agent;

  @BeforeEach
  void open() {
    world = World.apartWithEither("--profile", "gabble");
    TpClient.install(world.desktop());
    TpClient.install(world.server());
    agent = world.agent("-o", "ServerAliveInterval=1", "-o", "ServerAliveCountMax=2");
  }

  @AfterEach
  void close() {
    agent.close();
    world.close();
  }

  private static String file(Login login, int mebibytes) throws IOException {
    String file = login.home() + "/big";
    BigFile.write(login.place().path(file), mebibytes);
    login.place().admin().run("chmod", "644", file).ok();
    return file;
  }

  @ParameterizedTest
  @EitherServer
  @CsvSource({"unix,eof|broken", "abstract,eof|broken", "ipv4,broken", "ipv6,broken"})
  void noReaderSeesTheEndOfAPartBeforeTheBusIsGone(String type, String ending) throws IOException {
    Login desk = agent.client();
    Login halfway = world.serv().with("TPCLIENT_PAUSE", "half");
    String source = file(world.serv(), 2);
    try (Proc receive =
        TpClient.start(desk, "raw-receive", "bob", desk.home(), "1", type, "localhost")) {
      receive.awaitLine("^ready");
      try (Proc send =
          TpClient.start(halfway, "raw-send", "alice", "bob", source, "unix", "localhost")) {
        receive.awaitLine("^accepted");
        send.awaitLine("^paused");
        world.ssh().breakConnections();
        receive.awaitLine("^(" + ending + ") after");
        assertThat(receive.linesSince(0, "^bus closed|^state 5|^(eof|broken) after").getFirst())
            .doesNotStartWith("eof")
            .doesNotStartWith("broken");
      }
    }
  }

  @Test
  @EitherServer
  void whatGoesOutAndIsCutIsNotCompletedAtTheOtherEnd() throws IOException {
    Login desk = agent.client().with("TPCLIENT_PAUSE", "half");
    String source = file(world.desk(), 2);
    try (Proc receive = TpClient.start(world.serv(), "receive", "carol", "/tmp", "1")) {
      receive.awaitLine("^ready");
      try (Proc send =
          TpClient.start(desk, "raw-send", "dave", "carol", source, "unix", "localhost")) {
        send.awaitLine("^paused");
        world.ssh().breakConnections();
        assertThat(receive.await().status()).isNotZero();
        assertThat(receive.said()).contains("cancelled").doesNotContain("state 4");
      }
    }
  }

  @Test
  @EitherServer
  void theAgentComesBackUnderTheSamePath() {
    world.ssh().breakConnections();
    // A client that came before the agent knows would be on the old bus, and end with it.
    agent.proc().awaitLine("link to .* is lost");
    // A new client waits until the link is back.
    assertThat(agent.client().run("busctl", "--user", "list").ok().out())
        .contains("org.freedesktop.DBus");
  }

  @Test
  void keepAliveFindsAStoppedServerAndTheOldSessionIsEnded() {
    try (Proc monitor = agent.client().start("dbus-monitor", "--session")) {
      monitor.awaitLine("NameAcquired|NameLost");
      List<ProcessHandle> old = world.sshd().connections();
      world.sshd().signalConnections("STOP");
      // Its bus connection closes: that is how a client is told.
      monitor.await();
      assertThat(agent.client().run("busctl", "--user", "list").status()).isZero();
      old.forEach(process -> Proc.signal(process, "CONT"));
      Eventually.holds(() -> old.stream().filter(ProcessHandle::isAlive).count(), n -> n == 0);
    }
  }

  @Test
  @EitherServer
  void aWireThatIsCutAndMendedIsSurvived() {
    try (Proc monitor = agent.client().start("dbus-monitor", "--session")) {
      monitor.awaitLine("NameAcquired|NameLost");
      world.sides().cutWire();
      monitor.await();
      world.sides().mendWire();
      assertThat(agent.client().run("busctl", "--user", "list").status()).isZero();
    }
  }

  @Test
  @EitherServer
  void toldNotToItDoesNotComeBack() {
    try (AgentProcess once = world.agent("--name", "once", "--no-reconnect")) {
      world.ssh().breakConnections();
      assertThat(once.proc().await().status()).isEqualTo(255);
    }
  }

  @Test
  @EitherServer
  void anAgentThatWaitsForItsServerCanBeStopped() {
    world.sides().cutWire();
    agent.proc().awaitLine("(?i)lost|reconnect|no answer");
    agent.proc().signal("TERM");
    agent.proc().await();
    Eventually.holds(() -> world.sides().desktop().processes(), List::isEmpty);
  }
}
