package org.tpforward.agent.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.ByteArrayOutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.tpforward.agent.telepathy.Progress;

final class ProgressDisplayTest {
  private final ByteArrayOutputStream bytes = new ByteArrayOutputStream();

  @Test
  void printsALineForEachTenthWhereThereIsNoTerminal() {
    ProgressDisplay display = display(false);
    try (Progress.Meter meter = display.begin("f", 1000, 0)) {
      for (int i = 1; i <= 1000; i++) {
        meter.at(i);
      }
    }
    List<String> lines = printed().lines().toList();
    assertThat(lines).hasSize(11);
    assertThat(lines.getFirst()).isEqualTo("f: 0 B of 1000 B (0 %)");
    assertThat(lines.getLast()).startsWith("f: 1000 B of 1000 B (100 %), ");
    assertThat(printed()).doesNotContain("\r", "\u001b");
  }

  @Test
  void takesItsBarAwayAtTheEnd() {
    ProgressDisplay display = display(true);
    try (Progress.Meter meter = display.begin("f", 1000, 0)) {
      meter.at(1000);
    }
    assertThat(printed()).startsWith("\rf ").endsWith("\r\u001b[K").doesNotContain("\n");
  }

  @Test
  void drawsSeldomerThanItIsTold() {
    ProgressDisplay display = display(true);
    try (Progress.Meter meter = display.begin("f", 1_000_000, 0)) {
      for (int i = 0; i < 1_000_000; i++) {
        meter.at(i);
      }
    }
    assertThat(printed().chars().filter(c -> c == '\r').count()).isLessThan(1000);
  }

  @Test
  void putsOtherLinesAboveTheBar() {
    ProgressDisplay display = display(true);
    try (Progress.Meter meter = display.begin("f", 1000, 0)) {
      display.line("received x\u001b[2J");
      meter.at(1);
    }
    assertThat(printed()).contains("\r\u001b[Kreceived x?[2J\n\rf ");
  }

  @Test
  void showsNothingOfANameThatATerminalWouldTakeForACommand() {
    display(false).begin("\u001b]0;x\u0007\u202e", 10, 0).close();
    assertThat(printed()).isEqualTo("?]0;x??: 0 B of 10 B (0 %)\n");
  }

  private ProgressDisplay display(boolean terminal) {
    return new ProgressDisplay(new PrintStream(bytes, true, StandardCharsets.UTF_8), terminal);
  }

  private String printed() {
    return bytes.toString(StandardCharsets.UTF_8);
  }
}
