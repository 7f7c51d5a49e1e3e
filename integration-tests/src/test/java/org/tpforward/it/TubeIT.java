package org.tpforward.it;

import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.tpforward.harness.AgentProcess;
import org.tpforward.harness.Login;
import org.tpforward.harness.Proc;
import org.tpforward.harness.World;

/** Tubes from side to side by telepathy-glib's own classes, unmodified. */
@NeedsSides
class TubeIT {
  private static World world;
  private static AgentProcess agent;
  private static Login desk;
  private static Login serv;
  private static int count;

  @BeforeAll
  static void open() {
    world = World.apart("--profile", "full");
    TpClient.install(world.desktop());
    TpClient.install(world.server());
    agent = world.agent();
    desk = agent.client();
    serv = world.serv();
  }

  @AfterAll
  static void close() {
    agent.close();
    world.close();
  }

  static Stream<Way> ways() {
    return Stream.of(Way.values());
  }

  @ParameterizedTest
  @MethodSource("ways")
  void aStreamTubeCarriesBytesBothWaysAndEachEndByItself(Way way) {
    String service = "echo" + count++;
    try (Proc accept =
        TpClient.start(
            way.accepting(desk, serv), "tube-accept", service + "-b", service, "3000000")) {
      accept.awaitLine("^connected");
      try (Proc offer =
          TpClient.start(
              way.offering(desk, serv),
              "tube-offer",
              service + "-a",
              service + "-b",
              service,
              "1")) {
        accept.await().ok();
        offer.await().ok();
      }
    }
  }

  @ParameterizedTest
  @MethodSource("ways")
  void aServiceOnADbusTubeIsCalled(Way way) {
    String service = "org.tpforward.Echo" + count++;
    try (Proc accept =
        TpClient.start(
            way.accepting(desk, serv), "dbus-tube-accept", service + "b", service, "hello")) {
      accept.awaitLine("^connected");
      try (Proc offer =
          TpClient.start(
              way.offering(desk, serv), "dbus-tube-offer", service + "a", service + "b", service)) {
        accept.await().ok();
        offer.await().ok();
      }
    }
  }
}
