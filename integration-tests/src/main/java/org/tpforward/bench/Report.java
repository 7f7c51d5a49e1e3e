package org.tpforward.bench;

import java.util.List;
import java.util.Locale;
import java.util.stream.Collectors;

/** The outcomes as a table for people, and as JSON for programs. */
final class Report {
  private static final String ROW = "%-16s %-6s %9s %9s %9s  %7s %-15s %7s %-4s %14s %11s%n";

  private Report() {}

  static String header() {
    return String.format(
        Locale.ROOT,
        ROW,
        "figure",
        "unit",
        "ours",
        "ssh -L",
        "direct",
        "ratio",
        "(min to max)",
        "must",
        "",
        "CPU s",
        "peak MiB");
  }

  static String row(Outcome outcome) {
    Figure.Must must = outcome.figure().must();
    List<Double> ratios = outcome.ratios();
    return String.format(
        Locale.ROOT,
        ROW,
        outcome.figure().name(),
        outcome.figure().unit(),
        Numbers.text(outcome.ours()),
        Numbers.text(outcome.ssh()),
        outcome.direct() == 0 ? "-" : Numbers.text(outcome.direct()),
        Numbers.text(outcome.ratio()),
        "(" + Numbers.text(Numbers.min(ratios)) + " to " + Numbers.text(Numbers.max(ratios)) + ")",
        must == null ? "-" : must + (must.ofRatio() ? "" : " " + outcome.figure().unit()),
        must == null ? "" : outcome.passes() ? "ok" : "MISS",
        Numbers.text(outcome.ourCost().cpuSeconds())
            + " / "
            + Numbers.text(outcome.sshCost().cpuSeconds()),
        Numbers.text(outcome.ourCost().peakMib())
            + " / "
            + Numbers.text(outcome.sshCost().peakMib()));
  }

  static String json(List<Outcome> outcomes) {
    return outcomes.stream()
        .map(Report::json)
        .collect(Collectors.joining(",\n  ", "[\n  ", "\n]\n"));
  }

  private static String json(Outcome outcome) {
    Figure.Must must = outcome.figure().must();
    return String.format(
        Locale.ROOT,
        "{\"name\": \"%s\", \"unit\": \"%s\", \"ours\": %.4f, \"ssh\": %.4f, \"ratio\": %.4f,"
            + " \"spread\": %.4f, \"must\": %s, \"pass\": %s}",
        outcome.figure().name(),
        outcome.figure().unit(),
        outcome.ours(),
        outcome.ssh(),
        outcome.ratio(),
        outcome.spread(),
        must == null ? "null" : Double.toString(must.bound()),
        outcome.passes());
  }
}
