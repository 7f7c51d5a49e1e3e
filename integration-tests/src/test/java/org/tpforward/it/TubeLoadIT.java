package org.tpforward.it;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.tpforward.harness.AgentProcess;
import org.tpforward.harness.World;

/** Very many connections of one tube: none is lost, none is taken for another, nothing is left. */
@NeedsSides
@EitherServer
class TubeLoadIT {
  private World world;
  private AgentProcess agent;
  private TubeAccount alice;
  private TubeAccount bob;

  /** Whose service it is. */
  enum Way {
    ACCEPT,
    OFFER
  }

  @BeforeEach
  void open() {
    world = World.apartWithEither("--profile", "gabble");
    agent = world.agent();
    alice = TubeAccount.start(agent.client(), "alice");
    bob = TubeAccount.start(world.serv(), "bob");
  }

  @AfterEach
  void close() {
    bob.close();
    alice.close();
    agent.close();
    world.close();
  }

  private TubeAccount connecting(Way way) {
    return way == Way.ACCEPT ? alice : bob;
  }

  private void tube(Way way, String name) {
    TubeAccount offering = way == Way.ACCEPT ? bob : alice;
    String peer = way == Way.ACCEPT ? "alice" : "bob";
    offering.ask("offer " + name + " " + peer + " 0:0 ANSWER");
    connecting(way).ask("accept " + name + " 0:0");
  }

  private void closeTube(String name) {
    alice.ask("close " + name);
    bob.ask("close " + name);
  }

  @ParameterizedTest
  @EnumSource
  void fiveHundredConnectionsAtOnceDoNotMix(Way way) {
    Held before = Held.by(agent);
    tube(way, "crowd");
    assertThat(connecting(way).ask("run crowd 500 500 5000")).isEqualTo("500 of 500 ");
    closeTube("crowd");
    assertNothingIsLeft(before);
  }

  @ParameterizedTest
  @EnumSource
  void tenThousandOneAfterAnotherAreAllServed(Way way) {
    Held before = Held.by(agent);
    tube(way, "queue");
    for (int i = 0; i < 10; i++) { // In parts: the harness waits so long for each.
      assertThat(connecting(way).ask("run queue 1000 1 10")).isEqualTo("1000 of 1000 ");
    }
    closeTube("queue");
    assertNothingIsLeft(before);
  }

  private void assertNothingIsLeft(Held before) {
    before.awaitNoMoreBy(agent);
    List<Path> _ = Eventually.holds(this::remoteSockets, List::isEmpty);
  }

  /** What lies in the private directories on the server: of sessions, or tpforward-server's. */
  private List<Path> remoteSockets() {
    Path runtime = world.server().path(world.serv().runtimeDir());
    try (Stream<Path> files = Files.walk(runtime)) {
      return files
          .filter(f -> String.valueOf(f.getParent()).contains("/tpforward"))
          .filter(f -> !Files.isRegularFile(f)) // tpforward-server's lock
          .toList();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}
