package org.tpforward.agent.cli;

/** Lines for the user on standard error. */
final class Messages {
  private Messages() {}

  /** A failure: what, and what to do next. */
  static void error(String line) {
    System.err.println("tpforward: " + printable(line));
  }

  /** Without line ends and whatever else a terminal would take for a command. */
  static String printable(String text) {
    StringBuilder out = new StringBuilder(text.length());
    text.codePoints()
        .forEach(c -> {
          int type = Character.getType(c);
          boolean control =
              type == Character.CONTROL
                  || type == Character.FORMAT
                  || type == Character.SURROGATE
                  || type == Character.LINE_SEPARATOR
                  || type == Character.PARAGRAPH_SEPARATOR;
          out.appendCodePoint(control ? (c == '\n' || c == '\t' ? ' ' : '?') : c);
        });
    return out.toString();
  }
}
