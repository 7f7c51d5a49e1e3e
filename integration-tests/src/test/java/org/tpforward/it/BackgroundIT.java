package org.tpforward.it;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.tpforward.harness.Proc;
import org.tpforward.harness.World;

/** bin/tpforward as a user starts it: in the background, or around a command. */
@NeedsSides
@EitherServer
class BackgroundIT {
  private static World world;

  @BeforeAll
  static void open() {
    world = World.apartWithEither("--profile", "gabble");
  }

  @AfterAll
  static void close() {
    world.close();
  }

  private static Proc.Result sh(String script) {
    return world.desk().run("sh", "-c", script);
  }

  private static String agent(String options) {
    return "eval \"$("
        + world.desktop().program()
        + "/bin/tpforward agent -F ~/.ssh/config "
        + options
        + " server)\"";
  }

  @Test
  void evalGivesTheShellABusAndAPid() {
    Proc.Result result =
        sh(
            agent("--name eval")
                + "; busctl --user list; kill -0 $TPFORWARD_AGENT_PID && echo alive;"
                + " kill $TPFORWARD_AGENT_PID");
    assertThat(result.status()).isZero();
    assertThat(result.out()).contains("ConnectionManager.loopback").contains("alive");
    Eventually.holds(() -> world.sides().desktop().processes(), java.util.List::isEmpty);
  }

  @Test
  void theAgentIsInASessionOfItsOwn() {
    Proc.Result result =
        sh(
            agent("--name session")
                + "; echo session $(cut -d' ' -f6 /proc/$TPFORWARD_AGENT_PID/stat) of"
                + " $TPFORWARD_AGENT_PID; kill $TPFORWARD_AGENT_PID");
    assertThat(result.ok().out()).containsPattern("session (\\d+) of \\1\n");
  }

  @Test
  void whatFailsInTheBackgroundFailsInTheShell() {
    Proc.Result result =
        sh(world.desktop().program() + "/bin/tpforward agent -p 1 -F ~/.ssh/config server");
    assertThat(result.status()).isEqualTo(255);
    assertThat(result.out()).isEmpty();
    assertThat(result.err().lines()).hasSize(1);
  }

  @Test
  void runHasAnAgentForAsLongAsTheCommandAndItsStatus() {
    Proc.Result result =
        world
            .desk()
            .run(
                world
                    .desk()
                    .tpforward(
                        "run",
                        "-F",
                        world.desk().home() + "/.ssh/config",
                        "server",
                        "--",
                        "sh",
                        "-c",
                        "busctl --user list; exit 7"));
    assertThat(result.status()).isEqualTo(7);
    assertThat(result.out()).contains("ConnectionManager.loopback");
    Eventually.holds(() -> world.sides().desktop().processes(), java.util.List::isEmpty);
  }
}
