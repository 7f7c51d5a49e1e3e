package org.tpforward.agent.link;

/** Text from outside, made fit for one line of a message or a terminal. */
final class OneLine {
  private OneLine() {}

  /** Control and format characters become a question mark, line breaks a space. */
  static String of(String text, int longest) {
    StringBuilder line = new StringBuilder();
    text.strip()
        .codePoints()
        .limit(longest + 1L)
        .forEach(c -> {
          if (c == '\n' || c == '\r' || c == '\t') {
            line.append(' ');
          } else if (Character.isISOControl(c) || Character.getType(c) == Character.FORMAT) {
            line.append('?');
          } else {
            line.appendCodePoint(c);
          }
        });
    if (line.codePointCount(0, line.length()) > longest) {
      line.setLength(line.offsetByCodePoints(0, longest));
      line.append('…');
    }
    return line.toString();
  }
}
