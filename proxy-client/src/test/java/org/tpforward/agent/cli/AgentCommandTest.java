package org.tpforward.agent.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

final class AgentCommandTest {
  @TempDir Path runtime;

  @Test
  void printsWhatEvalNeedsAndLetsGoOfItsOutput() throws Exception {
    try (Program agent = Program.start(runtime, "agent", "host")) {
      // Its end, which is not the process's.
      assertThat(agent.rest()).containsExactlyElementsOf(bourne(agent, "host"));
      assertThat(agent.isAlive()).isTrue();
      for (int descriptor : new int[] {0, 1}) {
        assertThat(Files.readSymbolicLink(Path.of("/proc/" + agent.pid() + "/fd/" + descriptor)))
            .isEqualTo(Path.of("/dev/null"));
      }
      String stat = Files.readString(Path.of("/proc/" + agent.pid() + "/stat"));
      String[] fields = stat.substring(stat.lastIndexOf(')') + 2).split(" ");
      assertThat(fields[3]).as("session").isEqualTo(Long.toString(agent.pid()));
      agent.signal("TERM");
      assertThat(agent.exitStatus()).isEqualTo(128 + 15);
    }
    assertThat(runtime).isEmptyDirectory();
  }

  @Test
  void knowsCShells() throws Exception {
    try (Program agent = Program.start(runtime, "agent", "-c", "host")) {
      assertThat(agent.line())
          .isEqualTo(
              "setenv DBUS_SESSION_BUS_ADDRESS 'unix:path=" + runtime + "/tpforward/host/bus';");
      assertThat(agent.line()).isEqualTo("setenv TPFORWARD_AGENT_PID '" + agent.pid() + "';");
    }
  }

  @ParameterizedTest
  @CsvSource({"TERM, 143", "INT, 130", "HUP, 129"})
  void leavesNothingWhenASignalEndsIt(String signal, int status) throws Exception {
    try (Program agent = Program.start(runtime, "agent", "--foreground", "host")) {
      for (String line : bourne(agent, "host")) {
        assertThat(agent.line()).isEqualTo(line);
      }
      agent.signal(signal);
      assertThat(agent.exitStatus()).isEqualTo(status);
    }
    assertThat(runtime).isEmptyDirectory();
  }

  @Test
  void isFoundByNameByPidOrAsTheOnlyOne() throws Exception {
    try (Program one = agent("one");
        Program two = agent("two")) {
      // Columns are as wide as their widest entry, and pids are as long as the system makes them.
      assertThat(output("list").replaceAll(" +", " "))
          .isEqualTo(
              "NAME PID LINK DESTINATION\n"
                  + ("one " + one.pid() + " down alice@example.org\n")
                  + ("two " + two.pid() + " down alice@example.org\n"));
      assertThat(output("status", "one")).startsWith("one (pid ");
      assertThat(Run.of(environment(two.pid()), "status", "--json").out())
          .startsWith("{\"name\":\"two\",\"pid\":");
      assertThat(Run.of(environment(), "stop"))
          .isEqualTo(
              new Run(2, "", "tpforward: there are several agents, so name one: one, two\n"));
      assertThat(Run.of(environment(two.pid()), "agent", "-k", "-s").out())
          .isEqualTo(
              "unset DBUS_SESSION_BUS_ADDRESS;\nunset TPFORWARD_AGENT_PID;\necho Agent pid "
                  + two.pid()
                  + " killed;\n");
      assertThat(two.exitStatus()).isZero();
      assertThat(output("stop")).isEqualTo("stopped one (pid " + one.pid() + ")\n");
      assertThat(one.exitStatus()).isZero();
    }
    assertThat(runtime).isEmptyDirectory();
  }

  @Test
  void whoIsNotThereIsStatus4() throws Exception {
    assertThat(Run.of(environment(), "stop"))
        .isEqualTo(
            new Run(
                4, "", "tpforward: there is no agent; start one: tpforward agent DESTINATION\n"));
    assertThat(Run.of(environment(), "status", "nobody").status()).isEqualTo(4);
    assertThat(Run.of(environment(7), "agent", "-k"))
        .isEqualTo(
            new Run(
                4,
                "",
                "tpforward: there is no agent with pid 7 ($TPFORWARD_AGENT_PID); start one:"
                    + " tpforward agent DESTINATION\n"));
    assertThat(output("list")).isEmpty();
    assertThat(output("list", "--json")).isEqualTo("[]\n");
  }

  @Test
  void aKilledOneIsToldFromALivingOneAndReplaced() throws Exception {
    try (Program agent = agent("host")) {
      agent.signal("KILL");
      agent.exitStatus();
      assertThat(output("list", "--json"))
          .isEqualTo("[{\"name\":\"host\",\"pid\":" + agent.pid() + ",\"problem\":\"dead\"}]\n");
      assertThat(Run.of(environment(), "status", "host").status()).isEqualTo(4);
    }
    try (Program next = agent("host")) {
      assertThat(output("stop")).isEqualTo("stopped host (pid " + next.pid() + ")\n");
    }
    assertThat(runtime).isEmptyDirectory();
  }

  @Test
  void aSecondOneOfTheNameIsStatus3() throws Exception {
    try (Program agent = agent("host");
        Program second = Program.start(runtime, "agent", "host")) {
      assertThat(second.rest()).isEmpty();
      assertThat(second.messages())
          .isEqualTo(
              "tpforward: an agent named \"host\" runs already (pid "
                  + agent.pid()
                  + "); give this one another --name, or end that one: tpforward stop host");
      assertThat(second.exitStatus()).isEqualTo(3);
      assertThat(output("status", "host")).startsWith("host (pid ");
    }
  }

  @Test
  void saysWhyItEndedByItself() throws Exception {
    try (Program agent = Program.start(runtime, "agent", "--foreground", "lost@host")) {
      assertThat(agent.messages())
          .isEqualTo(
              "tpforward: the SSH connection to alice@example.org is lost: no route to host");
      assertThat(agent.exitStatus()).isEqualTo(255);
    }
    assertThat(runtime).isEmptyDirectory();
  }

  private Program agent(String name) throws Exception {
    Program agent = Program.start(runtime, "agent", "--name", name, "host");
    assertThat(agent.rest()).hasSize(3);
    return agent;
  }

  private List<String> bourne(Program agent, String name) {
    return List.of(
        "DBUS_SESSION_BUS_ADDRESS='unix:path="
            + runtime
            + "/tpforward/"
            + name
            + "/bus'; export DBUS_SESSION_BUS_ADDRESS;",
        "TPFORWARD_AGENT_PID='" + agent.pid() + "'; export TPFORWARD_AGENT_PID;",
        "echo Agent pid " + agent.pid() + ";");
  }

  private String output(String... arguments) {
    Run run = Run.of(environment(), arguments);
    assertThat(run.err()).isEmpty();
    assertThat(run.status()).isZero();
    return run.out();
  }

  private Map<String, String> environment() {
    return Map.of("XDG_RUNTIME_DIR", runtime.toString());
  }

  private Map<String, String> environment(long pid) {
    return Map.of("XDG_RUNTIME_DIR", runtime.toString(), "TPFORWARD_AGENT_PID", Long.toString(pid));
  }
}
