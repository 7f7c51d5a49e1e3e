package org.tpforward.it;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.tpforward.harness.AgentProcess;
import org.tpforward.harness.Login;
import org.tpforward.harness.Proc;
import org.tpforward.harness.World;

/** An agent's name and its directory: one agent has it, and a dead one leaves it free. */
@NeedsSides
@EitherServer
class NamesIT {
  private static final int RUNTIME_DIRECTORY = 3;

  private static World world;

  @BeforeAll
  static void open() {
    world = World.apartWithEither("--profile", "gabble");
  }

  @AfterAll
  static void close() {
    world.close();
  }

  private static Proc.Result refused(Login login) {
    try (Proc agent = AgentProcess.launch(login, world.destination().toArray(String[]::new))) {
      Proc.Result result = agent.await();
      assertThat(result.status()).as(result.err()).isEqualTo(RUNTIME_DIRECTORY);
      assertThat(result.err().lines()).hasSize(1);
      return result;
    }
  }

  @Test
  void aKilledAgentIsFollowedByOneOfTheSameNameAndPath() {
    AgentProcess first = world.agent("--name", "phoenix");
    first.proc().signal("KILL");
    first.proc().await();
    first.close();
    try (AgentProcess second = world.agent("--name", "phoenix")) {
      assertThat(second.bus()).isEqualTo(first.bus());
      assertThat(second.client().run("busctl", "--user", "list").status()).isZero();
    }
  }

  @Test
  void aNameThatIsInUseIsRefusedAndItsOwnerUntouched() {
    try (AgentProcess first = world.agent()) {
      refused(world.desk());
      assertThat(first.client().run("busctl", "--user", "list").status()).isZero();
    }
  }

  @Test
  void aRuntimeDirectoryOpenToAllIsRefused() {
    world.desk().run("mkdir", "-m", "777", "open").ok();
    refused(world.desk().with("XDG_RUNTIME_DIR", world.desk().home() + "/open"));
  }

  @Test
  void aRuntimeDirectoryOfSomebodyElseIsRefused() {
    world.desktop().admin().run("mkdir", "-m", "755", "/run/user/other").ok();
    refused(world.desk().with("XDG_RUNTIME_DIR", "/run/user/other"));
  }

  @Test
  void aRuntimeDirectoryTooLongForASocketIsRefused() {
    String path = world.desk().home() + "/" + "long/".repeat(20);
    world.desk().run("mkdir", "-p", path).ok();
    assertThat(refused(world.desk().with("XDG_RUNTIME_DIR", path)).err()).contains("long");
  }
}
