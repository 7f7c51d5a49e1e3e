package org.tpforward.it;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.time.Duration;
import org.junit.jupiter.api.Test;
import org.tpforward.harness.AgentProcess;
import org.tpforward.harness.Java;
import org.tpforward.harness.PrivateServer;
import org.tpforward.harness.Proc;
import org.tpforward.harness.World;

/**
 * 50,000 spoilt SSH packets that tpforward-server reads: before the encryption, in the login, and
 * from a user who is logged in. Each ends its own connection at the most.
 */
@NeedsSides
class ServerMalformedIT {
  private static final String SEED = "4711";
  private static final String PLAIN = "20000";
  private static final String LOGIN = "500";
  private static final String CHANNELS = "29500";

  /** Not how long it takes, which is some 20 s, but when it counts as hung. */
  private static final Duration PATIENCE = Duration.ofMinutes(5);

  @Test
  void malformedPacketsEndTheirOwnConnectionsOnly() throws IOException {
    try (World world = World.apartWithServer("--profile", "gabble")) {
      TpClient.install(world.desktop());
      TpClient.install(world.server());
      String key = world.desk().home() + "/flood";
      String[] arguments = {world.server().address(), "2300", key, SEED, PLAIN, LOGIN, CHANNELS};
      try (PrivateServer server = PrivateServer.start(world.serv(), 2300)) {
        Flood.authorize(world, server);
        try (AgentProcess agent = world.agent()) {
          Flood.aFileArrives(world, agent, "before");
          long mark = server.daemon().mark();
          long before = Flood.sockets(server);
          freePortsAtOnce(world);
          try (Proc mutator =
              world
                  .desk()
                  .start(
                      Java.command(
                          world.desktop(), "org.tpforward.harness.SshMutator", arguments))) {
            mutator.awaitLine("^recorded ");
            Flood.aFileArrives(world, agent, "meanwhile");
            assertThat(mutator.isAlive()).isTrue();
            assertThat(mutator.await(PATIENCE).ok().out())
                .containsPattern(
                    "plain 20000 login 500 channels (29[5-9]|30)\\d+ in \\d+ sessions");
          }
          Flood.aFileArrives(world, agent, "after");
          Eventually.holds(() -> Flood.sockets(server), now -> now <= before);
          Flood.assertMemoryIsBounded(server, mark);
        }
      }
    }
  }

  /** Each connection is from a port of its own, which else is not used again for a minute. */
  private static void freePortsAtOnce(World world) {
    world.desktop().admin().run("sh", "-c", "echo 1 >/proc/sys/net/ipv4/tcp_tw_reuse").ok();
  }
}
