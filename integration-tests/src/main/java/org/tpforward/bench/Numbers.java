package org.tpforward.bench;

import java.util.List;
import java.util.Locale;

/** What is needed of statistics. */
final class Numbers {
  private Numbers() {}

  static double median(List<Double> values) {
    List<Double> sorted = values.stream().sorted().toList();
    int middle = sorted.size() / 2;
    return sorted.size() % 2 == 1
        ? sorted.get(middle)
        : (sorted.get(middle - 1) + sorted.get(middle)) / 2;
  }

  static double min(List<Double> values) {
    return values.stream().mapToDouble(d -> d).min().orElseThrow();
  }

  static double max(List<Double> values) {
    return values.stream().mapToDouble(d -> d).max().orElseThrow();
  }

  /** Three digits that mean something. */
  static String text(double value) {
    double size = Math.abs(value);
    String format = size >= 100 ? "%.0f" : size >= 10 ? "%.1f" : size >= 0.1 ? "%.2f" : "%.4f";
    return String.format(Locale.ROOT, format, value);
  }
}
