package org.tpforward.agent.cli;

import java.time.Duration;
import java.util.List;

/** How far a transfer is, how fast, and how long it will take. Not for threads by itself. */
final class Rate {
  private static final int MIN_BAR = 4;
  private static final int MAX_BAR = 40;
  private static final int PERCENT_ALL = 100;

  private final String label;
  private final long size;
  private final long offset;
  private final long begun;
  private long position;

  /**
   * @param size bytes, -1 if nobody knows
   * @param offset bytes that were there before
   * @param begun in System.nanoTime()
   */
  Rate(String label, long size, long offset, long begun) {
    this.label = label;
    this.size = size;
    this.offset = offset;
    this.begun = begun;
    this.position = offset;
  }

  /** Several as one. */
  static Rate sum(List<Rate> rates) {
    if (rates.size() == 1) {
      return rates.getFirst();
    }
    long size = 0;
    long offset = 0;
    long position = 0;
    long begun = rates.getFirst().begun;
    for (Rate rate : rates) {
      size = size < 0 || rate.size < 0 ? -1 : size + rate.size;
      offset += rate.offset;
      position += rate.position;
      begun = Math.min(begun, rate.begun);
    }
    Rate sum = new Rate(rates.size() + " files", size, offset, begun);
    sum.at(position);
    return sum;
  }

  void at(long now) {
    position = now;
  }

  /** 0 to 100; 0 if nobody knows. */
  int percent() {
    if (size < 0) {
      return 0;
    }
    // Rounded down, so that 100 means all.
    return size == 0 ? PERCENT_ALL : (int) (position / (size / (double) PERCENT_ALL));
  }

  int tenth() {
    return percent() / 10;
  }

  private double perSecond(long nanos) {
    double seconds = (nanos - begun) / 1e9;
    return seconds <= 0 ? 0 : (position - offset) / seconds;
  }

  private String remaining(long nanos) {
    double rate = perSecond(nanos);
    if (size < 0 || rate < 1) {
      return "";
    }
    return Amounts.duration(Duration.ofSeconds((long) Math.ceil((size - position) / rate)));
  }

  /** A line for a log. */
  String line(long nanos) {
    String amount =
        Amounts.bytes(position)
            + (size < 0 ? "" : " of " + Amounts.bytes(size) + " (" + percent() + " %)");
    return label
        + ": "
        + amount
        + (position > offset ? ", " + Amounts.bytes((long) perSecond(nanos)) + "/s" : "");
  }

  /**
   * A line for a terminal: label, bar, percent, bytes, rate, time left. What does not fit goes: the
   * bar, then the end of the label.
   *
   * @param width columns, at least 1
   */
  String bar(long nanos, int width) {
    String left = remaining(nanos);
    String numbers =
        String.format(
            "%s%10s %12s %9s",
            size < 0 ? "" : String.format("%3d %% ", percent()),
            Amounts.bytes(position),
            Amounts.bytes((long) perSecond(nanos)) + "/s",
            left);
    int room = width - numbers.length() - 1;
    if (room < 1) {
      return cut(numbers.strip(), width);
    }
    int barWidth = size < 0 ? 0 : Math.min(MAX_BAR, room - label.length() - 3);
    if (barWidth < MIN_BAR) {
      return pad(cut(label, room), room) + " " + numbers;
    }
    int filled = barWidth * percent() / PERCENT_ALL;
    String bar = "[" + "#".repeat(filled) + "-".repeat(barWidth - filled) + "]";
    return pad(label + " " + bar, room) + " " + numbers;
  }

  private static String pad(String text, int width) {
    return text + " ".repeat(Math.max(0, width - text.length()));
  }

  /** Cut to whole code points; wide characters are taken for one column, as most are. */
  private static String cut(String text, int width) {
    if (text.length() <= width) {
      return text;
    }
    int end = Math.max(0, width - 1);
    if (end > 0 && Character.isHighSurrogate(text.charAt(end - 1))) {
      end--;
    }
    return text.substring(0, end) + (width > 0 ? "~" : "");
  }
}
