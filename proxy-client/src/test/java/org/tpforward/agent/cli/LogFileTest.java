package org.tpforward.agent.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.tpforward.agent.ChildJvm;

final class LogFileTest {
  @TempDir Path directory;

  @Test
  void takesWhatGoesToStandardErrorAndStaysBounded() throws Exception {
    Path log = directory.resolve("log");
    try (ChildJvm child = ChildJvm.start(List.of(), LogFileMain.class, log.toString())) {
      assertThat(child.exitStatus()).isZero();
    }
    // Ten lines of 100 bytes, 250 bytes to a file.
    assertThat(Files.readAllLines(log)).containsExactly("8" + "x".repeat(98), "9" + "x".repeat(98));
    assertThat(Files.readAllLines(directory.resolve("log.1")))
        .containsExactly("6" + "x".repeat(98), "7" + "x".repeat(98));
    assertThat(directory.toFile().list()).containsExactlyInAnyOrder("log", "log.1");
  }
}
