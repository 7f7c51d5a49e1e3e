package org.tpforward.it;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Files;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.tpforward.harness.AgentProcess;
import org.tpforward.harness.PrivateSshd;
import org.tpforward.harness.Proc;
import org.tpforward.harness.World;

/**
 * Tubes where the server forbids something, or has no room: what is left works, and why is said.
 */
@NeedsSides
class ServerPolicyIT {
  private static final Pattern REMOTE = Pattern.compile("\"remote\"\\s*:\\s*\"([^\"]+)\"");

  private World world;
  private TubeAccount bob;

  @BeforeEach
  void open() {
    world = World.apart("--profile", "full");
    bob = TubeAccount.start(world.serv(), "bob");
  }

  @AfterEach
  void close() {
    bob.close();
    world.close();
  }

  /** In the place of the world's own, which is stopped. */
  private PrivateSshd sshd(String... options) {
    world.sshd().close();
    return PrivateSshd.start(world.server(), 22, options);
  }

  /** A tube that the desktop offers carries bytes; where the CM connects. */
  private String offered(AgentProcess agent, TubeAccount alice, String tube) {
    alice.ask("offer " + tube + " bob 0:0 ANSWER");
    bob.ask("accept " + tube + " 2:0");
    Matcher remote = REMOTE.matcher(agent.status());
    assertThat(remote.find()).isTrue();
    assertThat(bob.ask("run " + tube + " 3 1 1000")).isEqualTo("3 of 3 ");
    alice.ask("close " + tube);
    bob.ask("close " + tube);
    return remote.group(1);
  }

  private void assertAcceptWorks(TubeAccount alice, String tube) {
    bob.ask("offer " + tube + " alice 2:0 ANSWER");
    alice.ask("accept " + tube + " 0:0");
    assertThat(alice.ask("run " + tube + " 3 1 1000")).isEqualTo("3 of 3 ");
    alice.ask("close " + tube);
    bob.ask("close " + tube);
  }

  @ParameterizedTest
  @CsvSource({
    "AllowStreamLocalForwarding yes,unix:",
    "AllowStreamLocalForwarding all,unix:",
    "AllowStreamLocalForwarding local,127.0.0.1:",
    "PermitListen none,unix:"
  })
  void whatTheServerAllowsIsEnoughForBothWays(String option, String remote) {
    try (PrivateSshd _ = sshd(option);
        AgentProcess agent = world.agent();
        TubeAccount alice = TubeAccount.start(agent.client(), "alice")) {
      assertAcceptWorks(alice, "a");
      assertThat(offered(agent, alice, "o")).startsWith(remote);
    }
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "AllowStreamLocalForwarding no",
        "AllowStreamLocalForwarding remote",
        "AllowTcpForwarding no", // for Unix sockets too
        "AllowTcpForwarding remote",
        "DisableForwarding yes"
      })
  void aServerThatLetsNobodyToTheBusIsToldByItsSetting(String option) {
    try (PrivateSshd _ = sshd(option);
        Proc agent =
            AgentProcess.launch(world.desk(), world.destination().toArray(String[]::new))) {
      Proc.Result result = agent.await();
      assertThat(result.status()).isNotZero();
      assertThat(result.err())
          .contains("AllowStreamLocalForwarding", "AllowTcpForwarding", "DisableForwarding");
    }
  }

  @Test
  void aServerOnWhichNothingMayListenIsToldByItsSettingAndTubesAreAccepted() {
    try (PrivateSshd _ = sshd("AllowTcpForwarding local");
        AgentProcess agent = world.agent();
        TubeAccount alice = TubeAccount.start(agent.client(), "alice")) {
      assertAcceptWorks(alice, "a");
      assertThat(alice.tryTo("offer o bob 0:0 ANSWER"))
          .startsWith("refused org.freedesktop.Telepathy.Error.NotAvailable: ")
          .contains("the server refused to listen", "AllowTcpForwarding", "PermitListen");
      assertAcceptWorks(alice, "b");
    }
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "for d in /run /tmp; do mount -o remount,ro $d; done",
        "for d in /run /tmp; do mount -o remount,nr_inodes=2000 $d && cd $d &&"
            + " mkdir full && chmod 777 full; i=0;"
            + " while mkdir full/$i 2>/dev/null; do i=$((i+1)); done; done"
      })
  void aServerWithoutRoomForSocketsListensOnPorts(String spoil) {
    try (AgentProcess agent = world.agent();
        TubeAccount alice = TubeAccount.start(agent.client(), "alice")) {
      world.server().admin().run("sh", "-e", "-c", spoil).ok();
      assertThat(offered(agent, alice, "o")).startsWith("127.0.0.1:");
      bob.ask("cm SetMisbehaviour tube-kind s 0:0");
      assertThat(alice.tryTo("offer p bob 0:0 ANSWER"))
          .startsWith("refused org.freedesktop.Telepathy.Error.NotAvailable: ")
          .contains("no private directory could be made on the server");
    }
  }

  @Test
  void aServerWithoutCommandsAndWithoutFilesListensOnPorts() {
    String bus = "unix:path=" + world.bus().socket();
    try (PrivateSshd _ = sshd("ForceCommand /bin/false");
        AgentProcess agent = world.agent("--remote-bus", bus);
        TubeAccount alice = TubeAccount.start(agent.client(), "alice")) {
      assertAcceptWorks(alice, "a");
      assertThat(offered(agent, alice, "o")).startsWith("127.0.0.1:");
    }
  }

  @Test
  void whatADeadAgentLeftGoesAtTheNextConnectAndALivingOnesStays() {
    AgentProcess dead = world.agent("--name", "dead");
    try (AgentProcess living = world.agent("--name", "living");
        TubeAccount alice = TubeAccount.start(living.client(), "alice")) {
      String left;
      try (TubeAccount carol = TubeAccount.start(dead.client(), "carol")) {
        carol.ask("offer x bob 0:0 ANSWER");
        left = remote("dead");
        dead.proc().signal("KILL");
        dead.close();
      }
      alice.ask("offer y bob 0:0 ANSWER");
      String kept = remote("living");
      Eventually.holds(() -> world.sshd().connections().size(), n -> n <= 2);
      try (AgentProcess _ = world.agent("--name", "third")) {
        Eventually.holds(() -> exists(left), there -> !there);
      }
      assertThat(exists(kept)).isTrue();
      bob.ask("accept y 0:0");
      assertThat(bob.ask("run y 3 1 1000")).isEqualTo("3 of 3 ");
    }
  }

  private String remote(String name) {
    Matcher remote = REMOTE.matcher(status(name));
    assertThat(remote.find()).isTrue();
    return remote.group(1).substring("unix:".length());
  }

  private String status(String name) {
    return world.desk().run(world.desk().tpforward("status", "--json", name)).ok().out();
  }

  private boolean exists(String path) {
    return Files.exists(world.server().path(path));
  }
}
