package org.tpforward.it;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Path;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.tpforward.harness.Proc;
import org.tpforward.harness.Sides;
import org.tpforward.harness.User;
import org.tpforward.harness.World;

/** The environment itself: that the sides are apart is what every other test stands on. */
@NeedsSides
class SidesIT {
  private static World world;

  @BeforeAll
  static void open() {
    world = World.apart("--profile", "gabble");
    TpClient.install(world.desktop());
    TpClient.install(world.server());
  }

  @AfterAll
  static void close() {
    world.close();
  }

  @Test
  void noFileIsInSightOfTheOtherSide() {
    assertThat(world.serv().run("test", "-S", world.bus().socket()).status()).isZero();
    assertThat(world.desktop().admin().run("test", "-e", world.bus().socket()).status())
        .isEqualTo(1);
  }

  @Test
  void noLoopbackPortIsInSightOfTheOtherSide() {
    String connect = "exec 3<>/dev/tcp/%s/22";
    assertThat(world.desk().run("bash", "-c", connect.formatted(world.server().address())).status())
        .isZero();
    assertThat(world.desk().run("bash", "-c", connect.formatted("127.0.0.1")).err())
        .contains("Connection refused");
  }

  @Test
  void theUsersDiffer() {
    assertThat(world.desk().run("id", "-u").out()).isEqualTo(User.DESK.uid() + "\n");
    assertThat(world.serv().run("id", "-u").out()).isEqualTo(User.SERV.uid() + "\n");
  }

  @Test
  void aBusForwardedBySshAloneConnectsAndFailsEveryTransfer() {
    // The same uid on both sides, or the bus would refuse even to talk.
    var client = world.desktop().login(User.SERV);
    world.sshd().authorize(client, User.SERV.name());
    String local = client.runtimeDir() + "/bus";
    try (Proc ssh =
            client.start(
                "ssh",
                "-v",
                "-N",
                "-L",
                local + ":" + world.bus().socket(),
                "server",
                "-F",
                client.home() + "/.ssh/config");
        Proc alice = startAliceWhen(ssh, "Entering interactive session")) {
      alice.awaitLine("^ready$");
      var bob = client.onBus("unix:path=" + local);
      assertThat(bob.run("busctl", "--user", "list").out()).contains("loopback.alice");
      try (Proc send =
          TpClient.start(bob, "raw-send", "bob", "alice", "/etc/passwd", "unix", "localhost")) {
        assertThat(send.await().err()).contains("connect: ").contains("No such file");
      }
    }
  }

  private static Proc startAliceWhen(Proc ssh, String line) {
    ssh.awaitLine(line);
    return TpClient.start(world.serv(), "receive", "alice", "/tmp", "1");
  }

  @Test
  void programsEndWithTheirSide() {
    Proc left;
    Path holder;
    try (Sides sides = Sides.open()) {
      left = sides.desk().start("sh", "-c", "sleep 1000 & echo started; exec sleep 1000");
      left.awaitLine("started");
      assertThat(sides.desktop().processes()).isNotEmpty();
      holder = sides.desktop().path("/");
    }
    assertThat(left.await().status()).isNotZero();
    assertThat(holder).doesNotExist();
  }
}
