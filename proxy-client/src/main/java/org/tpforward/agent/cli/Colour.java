package org.tpforward.agent.cli;

import java.util.Map;

/**
 * Colour, on terminals only. See no-color.org for NO_COLOR.
 *
 * @param on whether what is written goes to a terminal that wants it
 */
record Colour(boolean on) {
  private static final String GREEN = "32";
  private static final String RED = "31";
  private static final String BOLD = "1";

  /** For standard output. */
  static Colour of(Map<String, String> environment) {
    String term = environment.getOrDefault("TERM", "dumb");
    return new Colour(
        environment.getOrDefault("NO_COLOR", "").isEmpty()
            && !term.equals("dumb")
            && Terminal.isTerminal(Terminal.STDOUT));
  }

  String good(String text) {
    return in(GREEN, text);
  }

  String bad(String text) {
    return in(RED, text);
  }

  String heading(String text) {
    return in(BOLD, text);
  }

  private String in(String code, String text) {
    return on ? "\033[" + code + "m" + text + "\033[0m" : text;
  }
}
