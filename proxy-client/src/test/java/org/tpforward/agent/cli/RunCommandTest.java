package org.tpforward.agent.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

final class RunCommandTest {
  private static final String WAIT = "echo ready; while :; do sleep 0.05; done";

  @TempDir Path runtime;

  @Test
  void givesTheCommandTheBusAndEndsWithItsStatus() throws Exception {
    try (Program run =
        Program.start(
            runtime,
            "run",
            "--name",
            "n",
            "host",
            "--",
            "sh",
            "-c",
            "echo $DBUS_SESSION_BUS_ADDRESS $TPFORWARD_AGENT_PID; exit 7")) {
      assertThat(run.rest())
          .containsExactly("unix:path=" + runtime + "/tpforward/n/bus " + run.pid());
      assertThat(run.messages()).isEmpty();
      assertThat(run.exitStatus()).isEqualTo(7);
    }
    assertThat(runtime).isEmptyDirectory();
  }

  @Test
  void needsNoDashesWhereTheCommandIsClear() throws Exception {
    try (Program run = Program.start(runtime, "run", "host", "echo", "-n", "--", "x")) {
      assertThat(run.rest()).containsExactly("-- x");
      assertThat(run.exitStatus()).isZero();
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {"TERM", "HUP", "INT", "USR1"})
  void passesSignalsOn(String signal) throws Exception {
    String script = "trap 'echo got " + signal + "; exit 9' " + signal + "; " + WAIT;
    try (Program run = Program.start(runtime, "run", "host", "--", "sh", "-c", script)) {
      assertThat(run.line()).isEqualTo("ready");
      run.signal(signal);
      assertThat(run.line()).isEqualTo("got " + signal);
      assertThat(run.exitStatus()).isEqualTo(9);
    }
    assertThat(runtime).isEmptyDirectory();
  }

  @Test
  void tellsWhichSignalEndedTheCommandAsShellsDo() throws Exception {
    try (Program run = Program.start(runtime, "run", "host", "--", "sh", "-c", "kill -9 $$")) {
      assertThat(run.exitStatus()).isEqualTo(128 + 9);
    }
  }

  @Test
  void tellsAMissingCommandFromOneThatCannotRun() throws Exception {
    try (Program run = Program.start(runtime, "run", "host", "--", "no-such-program")) {
      assertThat(run.messages()).isEqualTo("tpforward: no-such-program was not found");
      assertThat(run.exitStatus()).isEqualTo(127);
    }
    Path file = Files.writeString(runtime.resolve("file"), "x");
    try (Program run = Program.start(runtime, "run", "host", "--", file.toString())) {
      assertThat(run.messages()).startsWith("tpforward: " + file + " cannot be run: ");
      assertThat(run.exitStatus()).isEqualTo(126);
    }
  }

  @Test
  void endsTheCommandWhenTheLinkIsLost() throws Exception {
    String script = "trap 'echo ended; exit 0' TERM; " + WAIT;
    try (Program run = Program.start(runtime, "run", "lost@host", "--", "sh", "-c", script)) {
      assertThat(run.messages())
          .isEqualTo(
              "tpforward: the SSH connection to alice@example.org is lost: no route to host;"
                  + " the command is ended");
      assertThat(run.exitStatus()).isEqualTo(255);
    }
    assertThat(runtime).isEmptyDirectory();
  }

  @Test
  void endsTheCommandWhenItsAgentIsStopped() throws Exception {
    try (Program run =
            Program.start(runtime, "run", "--name", "n", "host", "--", "sh", "-c", WAIT);
        Program stop = stopOnce(run)) {
      assertThat(stop.exitStatus()).isZero();
      assertThat(run.messages())
          .isEqualTo("tpforward: the agent was stopped, so the command is ended");
      assertThat(run.exitStatus()).isEqualTo(1);
    }
  }

  private Program stopOnce(Program run) throws Exception {
    assertThat(run.line()).isEqualTo("ready");
    return Program.start(runtime, "stop", "n");
  }
}
