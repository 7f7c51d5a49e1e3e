package org.tpforward.bench;

import org.jspecify.annotations.Nullable;

/**
 * One number that is measured.
 *
 * @param name short, without spaces
 * @param unit of {@code ours} and {@code ssh}
 * @param must the bound that is to be kept, if there is one
 */
record Figure(String name, String unit, @Nullable Must must) {
  /** A bound, and whether it holds for ours / ssh or for ours alone. */
  record Must(double bound, boolean atLeast, boolean ofRatio) {
    boolean holds(double ours, double ratio) {
      double value = ofRatio ? ratio : ours;
      return atLeast ? value >= bound : value <= bound;
    }

    @Override
    public String toString() {
      return (atLeast ? "≥ " : "≤ ") + Numbers.text(bound);
    }
  }

  /** More is better: ours must be at least so many times ssh's. */
  static Figure atLeast(String name, String unit, double ratio) {
    return new Figure(name, unit, new Must(ratio, true, true));
  }

  /** Less is better: ours must be at most so many times ssh's. */
  static Figure atMost(String name, String unit, double ratio) {
    return new Figure(name, unit, new Must(ratio, false, true));
  }

  /** Less is better: ours must be at most so much, whatever ssh's is. */
  static Figure atMostInAll(String name, String unit, double bound) {
    return new Figure(name, unit, new Must(bound, false, false));
  }

  /** More is better: ours must be at least so much, whatever ssh's is. */
  static Figure atLeastInAll(String name, String unit, double bound) {
    return new Figure(name, unit, new Must(bound, true, false));
  }

  /** For information. */
  static Figure free(String name, String unit) {
    return new Figure(name, unit, null);
  }
}
