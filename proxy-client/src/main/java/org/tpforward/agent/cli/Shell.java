package org.tpforward.agent.cli;

import java.util.Locale;
import org.jspecify.annotations.Nullable;

/** Which words a shell's {@code eval} understands. */
enum Shell {
  /** sh and whatever is like it. */
  BOURNE,
  /** csh and tcsh. */
  C;

  /** The shell that $SHELL names, as ssh-agent guesses it. */
  static Shell guess(@Nullable String shell) {
    return shell != null && shell.toLowerCase(Locale.ROOT).endsWith("csh") ? C : BOURNE;
  }

  /** A line that sets a variable of the environment. */
  String set(String variable, String value) {
    return switch (this) {
      case BOURNE -> variable + "=" + quote(value) + "; export " + variable + ";";
      case C -> "setenv " + variable + " " + quote(value) + ";";
    };
  }

  /** A line that removes a variable from the environment. */
  String unset(String variable) {
    return switch (this) {
      case BOURNE -> "unset " + variable + ";";
      case C -> "unsetenv " + variable + ";";
    };
  }

  /** A line that tells the user something. */
  String say(String text) {
    return "echo " + text + ";";
  }

  private String quote(String value) {
    String quoted = "'" + value.replace("'", "'\\''") + "'";
    return this == C ? quoted.replace("!", "\\!") : quoted;
  }
}
