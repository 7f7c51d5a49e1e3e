package org.tpforward.it;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.tpforward.harness.AgentProcess;
import org.tpforward.harness.Java;
import org.tpforward.harness.Login;
import org.tpforward.harness.Proc;
import org.tpforward.harness.User;
import org.tpforward.harness.World;

/**
 * The forwarded bus, used by programs that know nothing of it. Over tpforward-server there are no
 * monitors: what others say to each other is not for them.
 */
@NeedsSides
class AgentBusIT {
  private static World world;
  private static AgentProcess agent;
  private static Login client;

  @BeforeAll
  static void open() {
    world = World.apartWithEither("--profile", "gabble");
    agent = world.agent();
    client = agent.client();
  }

  @AfterAll
  static void close() {
    agent.close();
    world.close();
  }

  @Test
  @EitherServer
  void theBusIsTheRemoteOne() {
    String there = world.serv().run(id()).ok().out();
    assertThat(client.run(id()).ok().out()).isEqualTo(there);
  }

  private static String[] id() {
    return ("gdbus call --session --dest org.freedesktop.DBus --object-path /"
            + " --method org.freedesktop.DBus.GetId")
        .split(" ", -1);
  }

  @Test
  @EitherServer
  void eachClientIsAUserOfTheServerWithAUniqueNameOfItsOwn() {
    String listed = client.run("busctl", "--user", "--no-pager", "list").ok().out();
    assertThat(listed).contains("org.freedesktop.Telepathy.ConnectionManager.loopback");
    assertThat(listed).containsPattern(":1\\.\\d+ +\\d+ \\S+ +serv");
  }

  @Test
  void aMonitorSeesWhatOthersSay() {
    try (Proc monitor =
        client.start("dbus-monitor", "--session", "interface='org.tpforward.Test'")) {
      monitor.awaitLine("member=NameAcquired|NameLost");
      client
          .run(
              "gdbus",
              "emit",
              "--session",
              "--object-path",
              "/here",
              "--signal",
              "org.tpforward.Test.Said",
              "'something'")
          .ok();
      monitor.awaitLine("string \"something\"");
    }
  }

  @Test
  @EitherServer
  void aClientOfSystemdAndOneOfLibdbusAreServedAlike() {
    assertThat(
            client
                .run(
                    "busctl",
                    "--user",
                    "call",
                    "org.freedesktop.DBus",
                    "/",
                    "org.freedesktop.DBus",
                    "GetNameOwner",
                    "s",
                    "org.freedesktop.DBus")
                .ok()
                .out())
        .contains("org.freedesktop.DBus");
    assertThat(
            client
                .run(
                    "dbus-send",
                    "--session",
                    "--print-reply",
                    "--dest=org.freedesktop.DBus",
                    "/",
                    "org.freedesktop.DBus.ListNames")
                .ok()
                .out())
        .contains("method return");
  }

  @Test
  @EitherServer
  void anotherUserIsDisconnectedAtOnceAndCostsNoChannel() {
    long mark = world.ssh().daemon().mark();
    assertThat(probe(User.ROOT)).isIn("closed 0", "reset 0");
    assertThat(agent.proc().awaitLine("uid 0").group()).isNotEmpty();
    assertThat(world.ssh().daemon().linesSince(mark, world.ssh().channelOpened(""))).isEmpty();
  }

  @Test
  @EitherServer
  void aStrangerCannotEvenReachTheSocket() {
    assertThat(probe(User.STRANGER)).startsWith("refused").contains("Permission denied");
  }

  private static String probe(User user) {
    return world
        .desktop()
        .login(user)
        .run(
            Java.command(
                world.desktop(),
                "org.tpforward.harness.Probe",
                "unix:" + agent.socket(),
                "AUTH EXTERNAL"))
        .ok()
        .out()
        .strip();
  }

  @Test
  @EitherServer
  void anotherUserThatWasAllowedIsServed() {
    try (AgentProcess open = world.agent("--name", "open", "--allow-uid", "0")) {
      Login root = world.desktop().login(User.ROOT).onBus(open.bus());
      assertThat(root.run("busctl", "--user", "list").ok().out()).contains("org.freedesktop.DBus");
    }
  }

  @Test
  @EitherServer
  void itTellsItsStateAndItsName() {
    assertThat(agent.status()).contains("\"state\":\"up\"").contains("\"busClients\"");
    assertThat(world.desk().run(world.desk().tpforward("list")).ok().out()).contains("up");
  }

  @Test
  @EitherServer
  void stoppedItLeavesNothing() {
    AgentProcess other = world.agent("--name", "other");
    List<String> stop = world.desk().tpforward("stop", "other");
    assertThat(world.desk().run(stop).status()).isZero();
    assertThat(other.proc().await().status()).isZero();
    assertThat(world.desktop().path(world.desk().runtimeDir() + "/tpforward/other"))
        .satisfiesAnyOf(
            path -> assertThat(path).doesNotExist(), path -> assertThat(path).isEmptyDirectory());
  }
}
