package org.tpforward.server;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The units for systemd, as systemd itself reads them. */
class SystemdUnitsTest {
  private static final Path UNITS = Path.of("src/main/systemd");
  private static final String PROGRAM = "/usr/bin/tpforward-server";

  /** What systemd calls exposure, from 0 to 100: above 50 it says MEDIUM. */
  private static final int MOST_EXPOSURE = 15;

  @TempDir Path directory;
  private Path service = Path.of("");
  private Path socket = Path.of("");

  /** They name the installed program, which is not installed here: any program is there. */
  @BeforeEach
  void copy() throws IOException {
    service = directory.resolve("tpforward-server.service");
    socket = directory.resolve("tpforward-server.socket");
    String text = Files.readString(UNITS.resolve("tpforward-server.service"));
    assertThat(text).contains("ExecStart=" + PROGRAM + " ");
    Files.writeString(service, text.replace(PROGRAM, "/bin/sh"));
    Files.copy(UNITS.resolve("tpforward-server.socket"), socket);
  }

  private record Said(int status, String text) {}

  private static Said analyze(String... arguments) throws IOException, InterruptedException {
    List<String> command = new ArrayList<>(List.of("systemd-analyze", "--no-pager"));
    command.addAll(List.of(arguments));
    ProcessBuilder builder = new ProcessBuilder(command).redirectErrorStream(true);
    Process process;
    try {
      process = builder.start();
    } catch (IOException e) {
      throw new IOException("systemd-analyze is in the package systemd", e);
    }
    process.getOutputStream().close();
    String text = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
    return new Said(process.waitFor(), text);
  }

  private Said verify() throws IOException, InterruptedException {
    return analyze("verify", "--man=no", service.toString(), socket.toString());
  }

  private Said security(int threshold) throws IOException, InterruptedException {
    return analyze("security", "--offline=true", "--threshold=" + threshold, service.toString());
  }

  @Test
  void systemdFindsNothingWrongWithThem() throws Exception {
    assertThat(verify()).isEqualTo(new Said(0, ""));
  }

  @Test
  void aDirectiveThatSystemdDoesNotKnowWouldBeSeen() throws Exception {
    Files.writeString(service, Files.readString(service).replace("PrivateTmp=", "PrivateTemp="));
    assertThat(verify().text()).contains("PrivateTemp");
  }

  @Test
  void theServiceHasLittleOfTheMachine() throws Exception {
    Said said = security(MOST_EXPOSURE);
    assertThat(said.status()).as(said.text()).isZero();
  }

  @Test
  void withoutItsSandboxItWouldHaveMore() throws Exception {
    List<String> lines = new ArrayList<>(Files.readAllLines(service));
    assertThat(lines.removeIf(line -> line.startsWith("System") || line.startsWith("Protect")))
        .isTrue();
    Files.write(service, lines);
    assertThat(security(MOST_EXPOSURE).status()).isNotZero();
  }
}
