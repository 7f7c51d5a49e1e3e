package org.tpforward.bench;

import java.util.ArrayList;
import java.util.List;

/** What was measured of one figure: pairs, and what the processes used meanwhile. */
final class Outcome {
  private final Figure figure;
  private final List<Double> ours = new ArrayList<>();
  private final List<Double> ssh = new ArrayList<>();
  private double direct;
  private Cost ourCost = Cost.NONE;
  private Cost sshCost = Cost.NONE;

  /**
   * What a process used.
   *
   * @param cpuSeconds for all measurements that count
   * @param peakMib the most resident memory
   */
  record Cost(double cpuSeconds, double peakMib) {
    static final Cost NONE = new Cost(0, 0);

    Cost and(double seconds, double mib) {
      return new Cost(cpuSeconds + seconds, Math.max(peakMib, mib));
    }
  }

  Outcome(Figure figure) {
    this.figure = figure;
  }

  void pair(double our, double their) {
    ours.add(our);
    ssh.add(their);
  }

  void costs(Cost our, Cost their) {
    ourCost = our;
    sshCost = their;
  }

  void direct(double value) {
    direct = value;
  }

  Figure figure() {
    return figure;
  }

  double ours() {
    return Numbers.median(ours);
  }

  double ssh() {
    return Numbers.median(ssh);
  }

  /** Without any forward. */
  double direct() {
    return direct;
  }

  Cost ourCost() {
    return ourCost;
  }

  Cost sshCost() {
    return sshCost;
  }

  /** Of each pair. */
  List<Double> ratios() {
    List<Double> ratios = new ArrayList<>();
    for (int i = 0; i < ours.size(); i++) {
      // CPU seconds of a tiny run may be none at all.
      ratios.add(ssh.get(i) == 0 ? 1 : ours.get(i) / ssh.get(i));
    }
    return ratios;
  }

  double ratio() {
    return Numbers.median(ratios());
  }

  /** From the smallest ratio of a pair to the largest. */
  double spread() {
    return Numbers.max(ratios()) - Numbers.min(ratios());
  }

  boolean passes() {
    Figure.Must must = figure.must();
    return must == null || must.holds(ours(), ratio());
  }
}
