package org.tpforward.bench;

import java.util.ArrayList;
import java.util.List;
import java.util.stream.IntStream;

/**
 * What one more costs when there are many already: tube connections and bus clients that all stay
 * open. What a single one costs should stay the same from ten to a thousand.
 */
final class Growth {
  static final String NAME = "growth";

  /** Calls that each client makes in turn while the others are there. */
  private static final int CALLS = 5;

  private static final double MICROS = 1e6;

  private Growth() {}

  /** With so many of each as are held open at most, and tenths of it. */
  static Benchmark benchmark(Load load, Amounts amounts) {
    int most = amounts.held();
    List<Integer> counts =
        IntStream.of(most / 1000, most / 100, most / 10, most)
            .filter(count -> count > 0)
            .boxed()
            .toList();
    List<Figure> figures = new ArrayList<>();
    for (int count : counts) {
      figures.add(Figure.free("tubes-" + count, "µs each"));
    }
    for (int count : counts) {
      figures.add(Figure.free("clients-" + count, "µs each"));
      figures.add(Figure.free("calls-" + count + "-p50", "µs"));
    }
    return new Benchmark(NAME, Rig.NEAR, false, figures, way -> measure(load, way, most, counts));
  }

  private static double[] measure(Load load, Way way, int most, List<Integer> counts) {
    List<Double> values = new ArrayList<>();
    for (int count : counts) {
      values.add(connections(load, way, count, repeats(most, count)));
    }
    for (int count : counts) {
      double seconds = 0;
      double calls = 0;
      int repeats = repeats(most, count);
      for (int i = 0; i < repeats; i++) {
        double[] crowd =
            load.run("crowd", way.bus(), Integer.toString(count), Integer.toString(CALLS));
        seconds += crowd[0];
        calls += crowd[1];
      }
      values.add(seconds / repeats / count * MICROS);
      values.add(calls / repeats);
    }
    return values.stream().mapToDouble(Double::doubleValue).toArray();
  }

  private static double connections(Load load, Way way, int count, int repeats) {
    double seconds = 0;
    for (int i = 0; i < repeats; i++) {
      seconds += load.run("hold", way.echo(), Integer.toString(count))[0];
    }
    return seconds / repeats / count * MICROS;
  }

  /** Few are measured several times: one short measurement says little. */
  private static int repeats(int most, int count) {
    return Math.clamp(most / count, 1, 50);
  }
}
