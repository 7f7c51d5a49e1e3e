package org.tpforward.server.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.tpforward.server.BusEndpoints;
import org.tpforward.server.ServerConfig;
import org.tpforward.server.ServerException;
import org.tpforward.socket.Endpoint;
import picocli.CommandLine;

class CommandLineTest {
  @TempDir Path directory;

  private static Options options(String... arguments) {
    Options options = new Options();
    new CommandLine(options).setOverwrittenOptionsAllowed(true).parseArgs(arguments);
    return options;
  }

  @Test
  void takesAllThatItNeeds() throws Exception {
    ServerConfig config =
        options(
                "--listen=[::1]:2022",
                "--authorized-keys=keys",
                "--host-key=key",
                "--allow-name=org.example.*",
                "--max-channels=5")
            .toConfig("unix:path=/run/bus");
    assertThat(config.listen())
        .isEqualTo(new InetSocketAddress(InetAddress.ofLiteral("::1"), 2022));
    assertThat(config.bus()).isEqualTo(new Endpoint.UnixPath("/run/bus"));
    assertThat(config.policy().names()).containsExactly("org.example.*");
    assertThat(config.limits().channels()).isEqualTo(5);
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "--listen=2222|HOST:PORT",
        "--listen=127.0.0.1:99999|HOST:PORT",
        "--bus=tcp:host=192.0.2.1,port=1|of this machine",
        "--bus=nonsense|not a D-Bus address",
        "--max-startups=0|at least 1",
        "--allow-name=not a name|not a name"
      })
  void saysWhatIsWrong(String option, String words) {
    assertThatExceptionOfType(ServerException.class)
        .isThrownBy(
            () -> options("--authorized-keys=keys", "--host-key=key", option).toConfig(null))
        .withMessageContaining(words);
  }

  @Test
  void nobodyCouldLogIn() {
    assertThatExceptionOfType(ServerException.class)
        .isThrownBy(() -> options("--host-key=key").toConfig(null))
        .withMessageContaining("--authorized-keys");
    assertThatExceptionOfType(ServerException.class)
        .isThrownBy(() -> options("--authorized-keys=keys").toConfig(null))
        .withMessageContaining("--host-key");
  }

  @Test
  void aFileHoldsTheSameOptions() throws Exception {
    Path file = directory.resolve("config");
    Files.writeString(file, "# a comment\n\nlisten 127.0.0.1:2022\nallow-name  org.example.A \n");
    assertThat(ConfigFile.read(file))
        .isEqualTo(List.of("--listen=127.0.0.1:2022", "--allow-name=org.example.A"));
    Files.writeString(file, "listen\n");
    assertThatExceptionOfType(ServerException.class)
        .isThrownBy(() -> ConfigFile.read(file))
        .withMessageContaining("line 1");
  }

  @Test
  void knowsTheSocketsOfBuses() throws Exception {
    assertThat(BusEndpoints.of("/run/bus")).isEqualTo(new Endpoint.UnixPath("/run/bus"));
    assertThat(BusEndpoints.of("unix:abstract=/tmp/dbus-x,guid=1f"))
        .isEqualTo(new Endpoint.UnixAbstract("/tmp/dbus-x"));
    assertThat(BusEndpoints.of("unixexec:path=ssh;tcp:host=localhost,port=9"))
        .hasToString("127.0.0.1:9");
  }
}
