package org.tpforward.it;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.tpforward.harness.AgentProcess;
import org.tpforward.harness.Java;
import org.tpforward.harness.Login;
import org.tpforward.harness.Place;
import org.tpforward.harness.PrivateServer;
import org.tpforward.harness.PrivateSshd;
import org.tpforward.harness.User;
import org.tpforward.harness.World;

/** Other users, on either machine, at either end of a tube. GatewayPorts is an option of sshd's. */
@NeedsSides
class StrangerIT {
  private World world;
  private AgentProcess agent;
  private TubeAccount alice;
  private TubeAccount bob;

  @BeforeEach
  void open() {
    world = World.apartWithEither("--profile", "full");
    start("alice", "bob");
  }

  private void start(String here, String there) {
    agent = world.agent();
    alice = TubeAccount.start(agent.client(), here);
    bob = TubeAccount.start(world.serv(), there);
  }

  @AfterEach
  void close() {
    bob.close();
    alice.close();
    agent.close();
    world.close();
  }

  /** What somebody else sees who connects there and says something. */
  private static String probe(Place place, String address) {
    Login stranger = place.login(User.STRANGER);
    return stranger
        .run(Java.command(place, "org.tpforward.harness.Probe", address, "let me in"))
        .ok()
        .out()
        .strip();
  }

  @ParameterizedTest
  @EitherServer
  @CsvSource({"0:0", "0:3", "1:0", "1:3", "2:0", "3:0"})
  void anotherUserOfTheDesktopGetsNothingEvenWhileTheRightfulOneIsServed(String kind) {
    bob.ask("offer t alice 0:0 ONE_WAY");
    String address = alice.ask("accept t " + kind).split(" ", -1)[1];
    if (address.startsWith("unix:/")) {
      assertThat(probe(world.desktop(), address)).startsWith("refused");
      // The directory alone keeps him out. Now he is let that far.
      for (String directory = address.substring("unix:".length()); directory.length() > 1; ) {
        directory = directory.substring(0, Math.max(1, directory.lastIndexOf('/')));
        world.desktop().admin().run("chmod", "o+x", directory).ok();
      }
    }
    assertThat(probe(world.desktop(), address)).as("before").matches("(closed|reset) 0");
    assertThat(alice.ask("open t mine")).isEqualTo("hello");
    long channels = agent.channelsOpened();
    assertThat(probe(world.desktop(), address)).as("meanwhile").matches("(closed|reset) 0");
    assertThat(alice.ask("send mine 1000")).isEqualTo("1000");
    alice.ask("half mine");
    Eventually.holds(() -> bob.ask("served t 1"), served -> served.equals("1 1000"));
    assertThat(agent.channelsOpened()).as("channels").isEqualTo(channels);
    agent.proc().awaitLine("uid " + User.STRANGER.uid() + ".* is not allowed");
  }

  @Test
  @EitherServer
  void anotherUserOfTheServerCannotReachAnOfferedUnixSocket() {
    alice.ask("offer t bob 0:0 ONE_WAY");
    assertThat(probe(world.server(), remote("unix:/"))).contains("refused");
    bob.ask("accept t 0:0");
    assertThat(bob.ask("open t mine")).isEqualTo("hello");
    assertThat(alice.ask("served t 1")).isEqualTo("1 0");
  }

  private String remote(String beginning) {
    Matcher remote =
        Pattern.compile("\"remote\"\\s*:\\s*\"(" + Pattern.quote(beginning) + "[^\"]*)\"")
            .matcher(agent.status());
    assertThat(remote.find()).isTrue();
    return remote.group(1);
  }

  @Test
  @EitherServer
  void whoConnectsToAnOfferedPortAndIsNotVouchedForIsDisconnected() {
    bob.ask("cm SetMisbehaviour tube-kind s 2:1");
    alice.ask("offer t bob 0:0 ONE_WAY");
    String port = remote("127.0.0.1:");
    assertThat(probe(world.server(), port)).matches("(closed|reset) 0");
    if (world.ssh() instanceof PrivateServer own) {
      // It asks the kernel, and the agent never hears of it.
      own.daemon().awaitLine("\"event\":\"refused\".*\"type\":\"forwarded-tcpip\"");
    } else {
      agent.proc().awaitLine("the CM does not vouch for a connection from 127.0.0.1:\\d+");
    }
    bob.ask("accept t 2:1");
    assertThat(bob.ask("open t mine")).isEqualTo("hello");
    assertThat(alice.ask("served t 1")).isEqualTo("1 0");
  }

  @Test
  void gatewayPortsLetNobodyInFromElsewhere() {
    bob.close();
    alice.close();
    agent.close();
    world.sshd().close();
    try (PrivateSshd _ = PrivateSshd.start(world.server(), 22, "GatewayPorts yes")) {
      start("carol", "dave");
      bob.ask("cm SetMisbehaviour tube-kind s 2:1");
      alice.ask("offer t dave 0:0 ONE_WAY");
      String port = remote("127.0.0.1:").substring("127.0.0.1".length());
      String outside = world.server().address() + port;
      assertThat(probe(world.desktop(), outside)).matches("(closed|reset) 0");
      assertThat(probe(world.server(), outside)).matches("(closed|reset) 0");
      agent.proc().awaitLine("does not come from the server itself");
      bob.ask("accept t 2:1");
      assertThat(bob.ask("open t mine")).isEqualTo("hello");
      assertThat(alice.ask("served t 1")).isEqualTo("1 0");
    }
  }
}
