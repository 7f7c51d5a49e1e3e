package org.tpforward.agent.link;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** Configuration keywords with their values as text, before anything is expanded. */
final class ConfigValues {
  private final Map<String, List<String>> values = new LinkedHashMap<>();

  /** Adds a further value of a keyword. */
  void add(String keyword, String value) {
    values.computeIfAbsent(keyword.toLowerCase(Locale.ROOT), k -> new ArrayList<>()).add(value);
  }

  boolean has(String keyword) {
    return values.containsKey(keyword.toLowerCase(Locale.ROOT));
  }

  /** All values of a keyword; empty if there is none. */
  List<String> all(String keyword) {
    return List.copyOf(values.getOrDefault(keyword.toLowerCase(Locale.ROOT), List.of()));
  }

  /** The first value of a keyword, or null if there is none. "none" is a value. */
  @Nullable String first(String keyword) {
    List<String> all = all(keyword);
    return all.isEmpty() ? null : all.getFirst();
  }

  /** The first value, or null where there is none or it says {@code none}. */
  @Nullable String some(String keyword) {
    String value = first(keyword);
    return value == null || value.equalsIgnoreCase("none") ? null : value;
  }

  boolean flag(String keyword, boolean otherwise) {
    String value = first(keyword);
    if (value == null) {
      return otherwise;
    }
    return switch (value.toLowerCase(Locale.ROOT)) {
      case "no", "false", "off", "none" -> false;
      default -> true;
    };
  }

  /** A whole number of at least 0, or {@code otherwise} where there is none. */
  int number(String keyword, int otherwise) {
    String value = some(keyword);
    if (value == null) {
      return otherwise;
    }
    try {
      return Math.max(0, Integer.parseInt(value));
    } catch (NumberFormatException e) {
      return otherwise;
    }
  }

  /** A time in seconds as sshd_config(5), TIME FORMATS, writes it, or 0 where there is none. */
  int seconds(String keyword) {
    String value = some(keyword);
    if (value == null || !value.matches("(\\d{1,7}[smhdwSMHDW]?)+")) {
      return 0;
    }
    long total = 0;
    long number = 0;
    for (char c : value.toLowerCase(Locale.ROOT).toCharArray()) {
      if (Character.isDigit(c)) {
        number = number * 10 + (c - '0');
        continue;
      }
      total +=
          number
              * switch (c) {
                case 'm' -> 60;
                case 'h' -> 3600;
                case 'd' -> 86_400;
                case 'w' -> 604_800;
                default -> 1;
              };
      number = 0;
    }
    return (int) Math.min(Integer.MAX_VALUE, total + number);
  }
}
