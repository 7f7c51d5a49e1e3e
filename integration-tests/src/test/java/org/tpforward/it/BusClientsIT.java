package org.tpforward.it;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.tpforward.harness.AgentProcess;
import org.tpforward.harness.Java;
import org.tpforward.harness.Login;
import org.tpforward.harness.Proc;
import org.tpforward.harness.World;

/** Clients of the agent's bus: many at once, of whom nothing is left, and one of dbus-java. */
@NeedsSides
@EitherServer
class BusClientsIT {
  private static World world;
  private static AgentProcess agent;
  private static Login desk;

  @BeforeAll
  static void open() {
    world = World.apartWithEither("--profile", "gabble");
    agent = world.agent();
    desk = agent.client();
  }

  @AfterAll
  static void close() {
    agent.close();
    world.close();
  }

  @Test
  void twoHundredBusClientsAtOnceAreAllServed() {
    crowd(2); // What is loaded and opened once, is.
    Held before = Held.withoutClients(agent);
    crowd(200);
    before.awaitNoMoreBy(agent);
  }

  @Test
  void aClientOfDbusJavaIsServed() {
    String main = "org.tpforward.harness.DbusJavaClient";
    Proc.Result result = desk.run(Java.command(world.desktop(), main, agent.bus()));
    assertThat(result.ok().out()).containsPattern("owner :\\d+\\.\\d+\n");
  }

  private static void crowd(int count) {
    String main = "org.tpforward.harness.BusCrowd";
    Proc.Result result =
        desk.run(Java.command(world.desktop(), main, agent.socket(), Integer.toString(count)));
    assertThat(result.ok().out()).contains("names " + count + " answers " + count);
  }
}
