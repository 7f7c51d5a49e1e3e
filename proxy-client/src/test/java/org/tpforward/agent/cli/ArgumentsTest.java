package org.tpforward.agent.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.concurrent.atomic.AtomicReference;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.tpforward.agent.AgentException;
import org.tpforward.agent.AgentOptions;
import org.tpforward.agent.ExitCode;

final class ArgumentsTest {
  @TempDir Path runtime;

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "| a command is missing; see: tpforward --help",
        "fly | Unmatched argument at index 0: 'fly'; see: tpforward --help",
        "agent | DESTINATION is missing; see: tpforward agent --help",
        "agent --fly host | Unknown option: '--fly'; see: tpforward agent --help",
        "agent -s -c host | -s and -c exclude each other",
        "agent -p 0 host | -p 0: a port is 1 to 65535",
        "agent -p x host | Invalid value for option '-p': 'x' is not an int; see: tpforward agent"
            + " --help",
        "agent --allow-uid -1 host | --allow-uid -1: a uid is 0 to 4294967294",
        "agent -o Nonsense host | -o Nonsense: give Option=value, as in ssh_config(5)",
        "agent -- -oProxyCommand=x | \"-oProxyCommand=x\" is no destination: give"
            + " [user@]host[:port]",
        "run host | Missing required parameter: '[--] COMMAND'; see: tpforward run --help",
        "run host -- | COMMAND is missing; see: tpforward run --help",
        "run host --name x -- ls | --name: options go before DESTINATION, and COMMAND after --",
        "send bob | Missing required parameter: 'FILE'; see: tpforward send --help",
      })
  void whatMakesNoSenseIsOneLineAndStatus2(String line, String message) {
    Run run = Run.of(environment(), line == null ? new String[0] : line.split(" "));
    assertThat(run.err()).isEqualTo("tpforward: " + message + "\n");
    assertThat(run.out()).isEmpty();
    assertThat(run.status()).isEqualTo(2);
    assertThat(runtime).isEmptyDirectory();
  }

  @Test
  void aBadNameSaysWhatAGoodOneIs() {
    Run run = Run.of(environment(), "agent", "--name", "../x", "host");
    assertThat(run.err())
        .isEqualTo(
            "tpforward: --name \"../x\": an agent's name is 1 to 32 of A-Z a-z 0-9 . _ -, and"
                + " starts with neither . nor -\n");
    assertThat(run.status()).isEqualTo(2);
  }

  @Test
  void theAgentGetsWhatTheUserSaid() {
    AgentOptions options =
        options(
            "agent",
            "-i",
            "/k1",
            "-i",
            "/k2",
            "-p",
            "2222",
            "-F",
            "none",
            "-o",
            "ConnectTimeout=3",
            "-o",
            "User bob",
            "--remote-bus",
            "/run/bus",
            "--allow-uid",
            "7",
            "--no-reconnect",
            "alice@example.org");
    assertThat(options)
        .isEqualTo(
            new AgentOptions(
                "alice-example.org",
                "alice@example.org",
                "/run/bus",
                List.of(Path.of("/k1"), Path.of("/k2")),
                2222,
                Path.of("none"),
                List.of("ConnectTimeout=3", "User bob"),
                Set.of(7L),
                false,
                true,
                AgentOptions.DEFAULT_LINK_WAIT));
  }

  @Test
  void relativeKeysAreOfTheDirectoryInWhichItWasStarted() {
    AgentOptions options = options("agent", "-i", "key", "-F", "~/config", "host");
    assertThat(options.identities()).containsExactly(Path.of("key").toAbsolutePath());
    assertThat(options.configFile()).isEqualTo(Path.of("~/config"));
    assertThat(options.reconnect()).isTrue();
    assertThat(options.name()).isEqualTo("host");
  }

  @Test
  void anAgentOfRunHasANameOfItsOwnAndDoesNotReconnect() {
    AgentOptions options = options("run", "host", "--", "ls", "-l");
    assertThat(options.name()).isEqualTo("run-" + ProcessHandle.current().pid());
    assertThat(options.reconnect()).isFalse();
  }

  @Test
  void aFailedStartTellsItsReasonAndLeavesNothing() {
    Run run =
        Run.of(
            (options, directory) -> {
              throw new AgentException(ExitCode.REMOTE_BUS, "no bus\n\u001b[31mthere");
            },
            environment(),
            "agent",
            "host");
    assertThat(run).isEqualTo(new Run(5, "", "tpforward: no bus ?[31mthere\n"));
    assertThat(runtime).isEmptyDirectory();
  }

  @Test
  void twiceVerboseShowsTheTrace() {
    Run run = Run.of(environment(), "agent", "-vv", "host");
    assertThat(run.err()).startsWith("tpforward: ").contains("AgentException").contains("\tat ");
    assertThat(run.status()).isEqualTo(255);
  }

  @Test
  void aRuntimeDirectoryThatCannotBeUsedIsStatus3() {
    Run run = Run.of(Map.of("XDG_RUNTIME_DIR", "/nowhere"), "agent", "host");
    assertThat(run)
        .isEqualTo(
            new Run(
                3,
                "",
                "tpforward: XDG_RUNTIME_DIR=/nowhere does not exist; create it with mode 0700\n"));
  }

  @Test
  void everyHelpNamesEveryExitStatus() {
    for (String command :
        List.of(
            "agent",
            "run",
            "list",
            "status",
            "stop",
            "send",
            "receive",
            "contacts",
            "tube",
            "tube offer",
            "tube accept",
            "tube list")) {
      Run run = Run.of(environment(), (command + " --help").split(" "));
      assertThat(run.status()).isZero();
      for (ExitCode code : ExitCode.values()) {
        assertThat(run.out()).contains(code.status() + "  ", code.meaning());
      }
    }
  }

  private AgentOptions options(String... arguments) {
    AtomicReference<AgentOptions> seen = new AtomicReference<>();
    Run.of(
        (options, directory) -> {
          seen.set(options);
          throw new AgentException(ExitCode.LINK, "seen");
        },
        environment(),
        arguments);
    return Objects.requireNonNull(seen.get(), "no agent was started");
  }

  private Map<String, String> environment() {
    return Map.of("XDG_RUNTIME_DIR", runtime.toString());
  }
}
