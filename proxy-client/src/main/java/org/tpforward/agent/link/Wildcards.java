package org.tpforward.agent.link;

import java.util.List;
import java.util.Locale;

/** The patterns of ssh_config(5) and sshd(8): {@code *}, {@code ?} and a leading {@code !}. */
final class Wildcards {
  private Wildcards() {}

  /** Whether one pattern matches and none with a {@code !} does. Case does not count. */
  static boolean matchesList(List<String> patterns, String text) {
    String lower = text.toLowerCase(Locale.ROOT);
    boolean found = false;
    for (String pattern : patterns) {
      boolean not = pattern.startsWith("!");
      if (matches((not ? pattern.substring(1) : pattern).toLowerCase(Locale.ROOT), lower)) {
        if (not) {
          return false;
        }
        found = true;
      }
    }
    return found;
  }

  /** In time of at most the product of the lengths, whatever the pattern. */
  private static boolean matches(String pattern, String text) {
    int p = 0;
    int t = 0;
    int star = -1;
    int resume = 0;
    while (t < text.length()) {
      if (p < pattern.length() && pattern.charAt(p) == '*') {
        star = p++;
        resume = t;
      } else if (p < pattern.length()
          && (pattern.charAt(p) == '?' || pattern.charAt(p) == text.charAt(t))) {
        p++;
        t++;
      } else if (star >= 0) {
        p = star + 1;
        t = ++resume;
      } else {
        return false;
      }
    }
    while (p < pattern.length() && pattern.charAt(p) == '*') {
      p++;
    }
    return p == pattern.length();
  }
}
