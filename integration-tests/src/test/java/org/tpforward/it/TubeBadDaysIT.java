package org.tpforward.it;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;
import org.tpforward.harness.AgentProcess;
import org.tpforward.harness.World;

/** Bad services, bad clients, and what ends in the middle. */
@NeedsSides
@EitherServer
class TubeBadDaysIT {
  /** As much as is on its way where neither end reads: in sockets, sshd, the agent's window. */
  private static final String ON_ITS_WAY = "500000";

  private World world;
  private AgentProcess agent;
  private TubeAccount alice;
  private TubeAccount bob;
  private Held before;

  /** Whose service it is: one at the CM, or one at the desktop. */
  enum Way {
    ACCEPT,
    OFFER
  }

  @BeforeEach
  void open() {
    world = World.apartWithEither("--profile", "full");
    agent = world.agent();
    alice = TubeAccount.start(agent.client(), "alice");
    bob = TubeAccount.start(world.serv(), "bob");
    before = Held.by(agent);
  }

  @AfterEach
  void close() {
    bob.close();
    alice.close();
    agent.close();
    world.close();
  }

  private TubeAccount serving(Way way) {
    return way == Way.ACCEPT ? bob : alice;
  }

  private TubeAccount connecting(Way way) {
    return way == Way.ACCEPT ? alice : bob;
  }

  /** A tube; the address to which its clients connect. */
  private String tube(Way way, String name, String kind, String manner) {
    String peer = way == Way.ACCEPT ? "alice" : "bob";
    serving(way).ask("offer " + name + " " + peer + " 0:0 " + manner);
    return connecting(way).ask("accept " + name + " " + kind).split(" ", -1)[1];
  }

  private void assertNothingIsLeft(String... tubes) {
    for (String tube : tubes) {
      alice.ask("close " + tube);
      bob.ask("close " + tube);
    }
    before.awaitNoMoreBy(agent);
  }

  private static void awaitServed(TubeAccount service, String tube, String served) {
    String _ = Eventually.holds(() -> service.ask("served " + tube + " 1"), served::equals);
  }

  @Test
  void aCmThatNamesAnotherMachineIsRefusedWithALogLine() {
    bob.ask("cm SetMisbehaviour tube-kind s 2:0 answer address 192.0.2.1,22");
    bob.ask("offer t alice 2:0 ANSWER");
    assertThat(alice.tryTo("accept t 0:0"))
        .startsWith("refused org.freedesktop.Telepathy.Error.NotAvailable: ")
        .contains("192.0.2.1:22, which is not on its own machine");
    agent.proc().awaitLine("address is refused: .*192\\.0\\.2\\.1:22");
    assertNothingIsLeft("t");
  }

  @ParameterizedTest
  @EnumSource
  void aServiceThatIsNotThereEndsTheConnection(Way way) {
    tube(way, "t", "0:0", "ABSENT");
    connecting(way).ask("silent t c");
    assertThat(connecting(way).ask("end c")).matches("(eof|broken) 0");
    assertNothingIsLeft("t");
  }

  @ParameterizedTest
  @EnumSource
  void aServiceThatResetsEndsTheConnection(Way way) {
    tube(way, "t", "2:0", "RESET");
    connecting(way).ask("silent t c");
    connecting(way).ask("send c 100");
    assertThat(connecting(way).ask("end c")).matches("(eof|broken) 0");
    assertNothingIsLeft("t");
  }

  @ParameterizedTest
  @EnumSource
  void aServiceThatNeverReadsHoldsUpNobodyElse(Way way) {
    tube(way, "t", "0:0", "MUTE");
    tube(way, "other", "0:0", "ANSWER");
    assertThat(connecting(way).ask("open t c")).isEqualTo("hello");
    assertThat(Integer.parseInt(connecting(way).ask("stuff c"))).isBetween(1, 100 << 20);
    assertThat(connecting(way).ask("run other 20 4 100000")).isEqualTo("20 of 20 ");
    serving(way).ask("tell t");
    assertThat(connecting(way).ask("end c")).matches("(eof|broken) 0");
    assertNothingIsLeft("t", "other");
  }

  @ParameterizedTest
  @EnumSource
  void aServiceThatEndsItsOwnDirectionIsWrittenToOn(Way way) {
    tube(way, "t", "0:0", "ONE_WAY");
    assertThat(connecting(way).ask("open t c")).isEqualTo("hello");
    assertThat(connecting(way).ask("send c 500000")).isEqualTo("500000");
    connecting(way).ask("half c");
    assertThat(connecting(way).ask("end c")).isEqualTo("eof 0");
    awaitServed(serving(way), "t", "1 500000");
    assertNothingIsLeft("t");
  }

  @ParameterizedTest
  @CsvSource({"0:0", "0:3", "1:3", "2:0"})
  void aClientThatSaysNothingHoldsUpNobodyElse(String kind) {
    tube(Way.ACCEPT, "t", kind, "ANSWER");
    long channels = agent.channelsOpened();
    alice.ask("silent t c");
    if (kind.endsWith(":3")) {
      assertThat(agent.channelsOpened()).as("without a byte").isEqualTo(channels);
      tube(Way.ACCEPT, "other", "0:0", "ANSWER");
      assertThat(alice.ask("run other 10 2 1000")).isEqualTo("10 of 10 ");
    } else {
      assertThat(alice.ask("run t 10 2 1000")).isEqualTo("10 of 10 ");
    }
    alice.ask("half c");
    assertThat(alice.ask("end c")).matches("(eof|broken) 0");
  }

  @ParameterizedTest
  @EnumSource
  void aChannelThatClosesTakesItsListenerAndNothingElse(Way way) {
    tube(way, "t", "2:0", "MUTE");
    tube(way, "other", "0:0", "ONE_WAY");
    assertThat(connecting(way).ask("open t c")).isEqualTo("hello");
    assertThat(connecting(way).ask("open other d")).isEqualTo("hello");
    alice.ask("close t");
    bob.ask("close t");
    awaitNobodyListens(way, "t");
    serving(way).ask("tell t");
    assertThat(connecting(way).ask("end c")).matches("(eof|broken) 0");
    assertThat(connecting(way).ask("send d 1000")).isEqualTo("1000");
    connecting(way).ask("half d");
    awaitServed(serving(way), "other", "1 1000");
    assertThat(connecting(way).ask("open other e")).isEqualTo("hello");
    connecting(way).ask("half e");
    assertNothingIsLeft("other");
  }

  private void awaitNobodyListens(Way way, String tube) {
    String _ =
        Eventually.holds(
            () -> connecting(way).tryTo("silent " + tube + " late"),
            answer -> answer.startsWith("failed "));
  }

  @Test
  void whatIsOnItsWayToTheClientOutlivesTheChannel() {
    tube(Way.ACCEPT, "t", "0:0", "POUR");
    assertThat(alice.ask("open t c")).isEqualTo("hello");
    alice.ask("half c");
    alice.ask("await t ConnectionClosed"); // The CM has passed all of it on.
    alice.ask("close t");
    alice.ask("await t Closed");
    assertThat(alice.ask("end c")).isEqualTo("eof " + ON_ITS_WAY);
    before.awaitNoMoreBy(agent);
  }

  @Test
  void whatIsOnItsWayToTheServiceOutlivesTheChannel() {
    tube(Way.OFFER, "t", "0:0", "LATE");
    assertThat(bob.ask("open t c")).isEqualTo("hello");
    assertThat(bob.ask("send c " + ON_ITS_WAY)).isEqualTo(ON_ITS_WAY);
    bob.ask("half c");
    bob.ask("await t ConnectionClosed");
    alice.ask("close t");
    alice.ask("await t Closed");
    alice.ask("tell t");
    awaitServed(alice, "t", "1 " + ON_ITS_WAY);
    before.awaitNoMoreBy(agent);
  }

  @ParameterizedTest
  @EnumSource
  void aCmThatDiesTakesItsTubesAndNothingElse(Way way) {
    String local = tube(way, "t", "2:0", "MUTE");
    assertThat(local).startsWith("127.0.0.1:");
    assertThat(connecting(way).ask("open t c")).isEqualTo("hello");
    assertThat(bob.tryTo("cm Vanish exit")).contains("NoReply");
    assertThat(connecting(way).ask("end c")).matches("(eof|broken) 0");
    awaitNobodyListens(way, "t");
    serving(way).ask("tell t");
    before.awaitNoMoreBy(agent);
    // Bus clients are there still, and a new CM is started for them.
    assertThat(alice.ask("cm Reset")).isEqualTo("[]");
    assertThat(alice.proc().said()).doesNotContain("bus closed");
  }

  @ParameterizedTest
  @EnumSource
  void aBusThatIsKilledTakesItsClientsAndTubesAndTheAgentStays(Way way) {
    tube(way, "t", "0:0", "MUTE");
    assertThat(connecting(way).ask("open t c")).isEqualTo("hello");
    world.bus().daemon().signal("KILL");
    alice.proc().awaitLine("^bus closed");
    assertThat(connecting(way).ask("end c")).matches("(eof|broken) 0");
    awaitNobodyListens(way, "t");
    serving(way).ask("tell t");
    Eventually.holds(() -> agent.status().contains("stream tube"), there -> !there);
    assertThat(agent.proc().isAlive()).isTrue();
  }

  @ParameterizedTest
  @EnumSource
  void aLinkThatIsCutTakesTheTubesAndComesBack(Way way) {
    tube(way, "t", "2:0", "MUTE");
    assertThat(connecting(way).ask("open t c")).isEqualTo("hello");
    world.ssh().breakConnections();
    alice.proc().awaitLine("^bus closed");
    String ending = connecting(way).ask("end c");
    if (way == Way.ACCEPT) {
      assertThat(ending).as("over TCP a cut stream must not look complete").isEqualTo("broken 0");
      awaitNobodyListens(way, "t");
    }
    Eventually.holds(() -> agent.status().contains("stream tube"), there -> !there);
    try (TubeAccount carol = TubeAccount.start(agent.client(), "carol")) {
      carol.ask("offer again bob 0:0 ANSWER");
      bob.ask("accept again 0:0");
      assertThat(bob.ask("run again 5 1 1000")).isEqualTo("5 of 5 ");
    }
  }
}
