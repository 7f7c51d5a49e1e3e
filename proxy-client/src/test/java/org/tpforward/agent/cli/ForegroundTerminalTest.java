package org.tpforward.agent.cli;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

final class ForegroundTerminalTest {
  @Test
  void isTheProcessGroupThatTheTerminalNames() {
    assertThat(ForegroundTerminal.isForeground("7 (java) S 1 7 5 34816 7 4194304 9")).isTrue();
    assertThat(ForegroundTerminal.isForeground("7 (a) b (c) R 1 7 5 34816 7 4194304 9")).isTrue();
    assertThat(ForegroundTerminal.isForeground("7 (java) S 1 7 5 34816 8 4194304 9")).isFalse();
  }

  @Test
  void isNothingWithoutATerminal() {
    assertThat(ForegroundTerminal.isForeground("7 (java) S 1 7 5 0 -1 4194304 9")).isFalse();
    assertThat(ForegroundTerminal.isForeground("7 (java)")).isFalse();
  }
}
