package org.tpforward.server.bus;

import org.jspecify.annotations.Nullable;

/**
 * Reads as much of a match rule as is needed to know whether it eavesdrops (D-Bus specification,
 * "Match Rules"): {@code key='value'}, with commas between. Within quotes all is literal; outside
 * of them a backslash makes the quote that follows it one.
 */
final class MatchRule {
  /** As dbus-daemon has it. */
  private static final int MAX_LENGTH = 1024;

  private MatchRule() {}

  /**
   * Why the rule cannot be let through, null if it can. What else is wrong with it the bus says.
   */
  static @Nullable String problem(String rule) {
    if (rule.length() > MAX_LENGTH) {
      return "match rules of over " + MAX_LENGTH + " characters";
    }
    StringBuilder key = new StringBuilder();
    StringBuilder value = new StringBuilder();
    boolean inValue = false;
    boolean quoted = false;
    for (int i = 0; i < rule.length(); i++) {
      char c = rule.charAt(i);
      if (quoted) {
        quoted = c != '\'';
        if (quoted) {
          value.append(c);
        }
      } else if (inValue && c == '\'') {
        quoted = true;
      } else if (inValue && c == '\\' && i + 1 < rule.length() && rule.charAt(i + 1) == '\'') {
        value.append('\'');
        i++;
      } else if (c == ',') {
        if (eavesdrops(key, value)) {
          return "eavesdropping";
        }
        key.setLength(0);
        value.setLength(0);
        inValue = false;
      } else if (!inValue && c == '=') {
        inValue = true;
      } else {
        (inValue ? value : key).append(c);
      }
    }
    return quoted ? "match rules without an end" : eavesdrops(key, value) ? "eavesdropping" : null;
  }

  /** However a key is written that the bus may take for this one. */
  private static boolean eavesdrops(StringBuilder key, StringBuilder value) {
    return key.indexOf("eavesdrop") >= 0 && !value.toString().equals("false");
  }
}
