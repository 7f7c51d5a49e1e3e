package org.tpforward.agent.link;

import java.util.Map;
import org.jspecify.annotations.Nullable;

/** Replaces {@code %h}, {@code ~} and {@code ${NAME}} (ssh_config(5), TOKENS). */
final class ConfigTokens {
  private ConfigTokens() {}

  /**
   * Replaces percent tokens. One that does not exist stays as it is: what it stands for is then
   * missing, and the message names it.
   */
  static String percent(String text, Map<Character, String> tokens) {
    StringBuilder out = new StringBuilder();
    for (int i = 0; i < text.length(); i++) {
      char c = text.charAt(i);
      if (c == '%' && i + 1 < text.length()) {
        char token = text.charAt(i + 1);
        String value = token == '%' ? "%" : tokens.get(token);
        if (value != null) {
          out.append(value);
          i++;
          continue;
        }
      }
      out.append(c);
    }
    return out.toString();
  }

  /** Replaces {@code ${NAME}}; null where a variable is not set. */
  static @Nullable String variables(String text, UserEnvironment environment) {
    StringBuilder out = new StringBuilder();
    int from = 0;
    while (true) {
      int start = text.indexOf("${", from);
      int end = start < 0 ? -1 : text.indexOf('}', start);
      if (end < 0) {
        return out.append(text, from, text.length()).toString();
      }
      String value = environment.variable(text.substring(start + 2, end));
      if (value == null) {
        return null;
      }
      out.append(text, from, start).append(value);
      from = end + 1;
    }
  }

  /** A leading {@code ~/} becomes the home directory. */
  static String home(String path, UserEnvironment environment) {
    if (path.equals("~")) {
      return environment.home().toString();
    }
    return path.startsWith("~/") ? environment.home() + path.substring(1) : path;
  }
}
