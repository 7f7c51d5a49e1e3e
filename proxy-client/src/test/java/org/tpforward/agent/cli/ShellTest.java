package org.tpforward.agent.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.charset.StandardCharsets;
import org.junit.jupiter.api.Test;

final class ShellTest {
  private static final String AWKWARD = "unix:path=/a'b $(id) `id` \"x\"!y,guid=1;2";

  @Test
  void aBourneShellGetsTheValueAsItIs() throws Exception {
    assertThat(eval(Shell.BOURNE.set("V", AWKWARD) + " printf %s \"$V\"")).isEqualTo(AWKWARD);
  }

  @Test
  void whatWasSetIsRemoved() throws Exception {
    assertThat(eval("V=1; " + Shell.BOURNE.unset("V") + " printf %s \"${V-gone}\""))
        .isEqualTo("gone");
  }

  @Test
  void aCShellHasWordsOfItsOwn() {
    assertThat(Shell.C.set("V", "a b!c'd")).isEqualTo("setenv V 'a b\\!c'\\''d';");
    assertThat(Shell.C.unset("V")).isEqualTo("unsetenv V;");
  }

  @Test
  void theUsersShellIsGuessedAsSshAgentDoes() {
    assertThat(Shell.guess("/bin/tcsh")).isEqualTo(Shell.C);
    assertThat(Shell.guess("/usr/bin/csh")).isEqualTo(Shell.C);
    assertThat(Shell.guess("/bin/bash")).isEqualTo(Shell.BOURNE);
    assertThat(Shell.guess(null)).isEqualTo(Shell.BOURNE);
  }

  private static String eval(String script) throws Exception {
    Process shell = new ProcessBuilder("sh", "-c", "eval \"$1\"", "sh", script).start();
    return new String(shell.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
  }
}
