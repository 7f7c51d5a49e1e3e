package org.tpforward.bench;

import java.util.ArrayList;
import java.util.List;
import org.tpforward.harness.HarnessException;
import org.tpforward.harness.Proc;

/**
 * A measurement, which yields one number for each of its figures.
 *
 * @param name what it is called on the command line
 * @param host where the server is: {@link Rig#NEAR} or {@link Rig#FAR}
 * @param fresh whether each measurement wants a program that has just been started; otherwise one
 *     is started for all, and warmed up by one measurement that does not count
 * @param measurement measures one way
 */
record Benchmark(
    String name, String host, boolean fresh, List<Figure> figures, Measurement measurement) {
  /** Measures once. */
  @FunctionalInterface
  interface Measurement {
    /** One number for each figure. */
    double[] measure(Way way);
  }

  Benchmark {
    figures = List.copyOf(figures);
  }

  private static final long MIB = 1 << 20;
  private static final double MIB_PER_GIB = 1024;
  private static final int STREAMS = 16;

  /** A window, not the wire, is what limits it: the must is what a large one gives. */
  private static final double FAR_MUST = 10;

  /** All of them. */
  static List<Benchmark> all(Rig rig, Amounts amounts) {
    List<Benchmark> all = new ArrayList<>();
    all.addAll(streams(rig.load(), amounts));
    all.addAll(latencies(rig, amounts));
    all.addAll(starts(rig.load(), amounts));
    all.add(Growth.benchmark(rig.load(), amounts));
    return List.copyOf(all);
  }

  /** Whether it is measured when nothing is named. */
  boolean isUsual() {
    return !name.equals(Growth.NAME);
  }

  private static List<Benchmark> streams(Load load, Amounts amounts) {
    long bytes = amounts.streamMib() * MIB;
    long each = Math.max(1, amounts.streamMib() / STREAMS) * MIB;
    return List.of(
        new Benchmark(
            "down",
            Rig.NEAR,
            false,
            List.of(
                Figure.atLeast("down", "MiB/s", 0.95), Figure.atMost("down-cpu", "s/GiB", 1.15)),
            way -> rateAndCpu(way, amounts.streamMib(), () -> get(load, way, 1, bytes))),
        new Benchmark(
            "up",
            Rig.NEAR,
            false,
            List.of(Figure.atLeast("up", "MiB/s", 1), Figure.atMost("up-cpu", "s/GiB", 1.15)),
            way -> rateAndCpu(way, amounts.streamMib(), () -> put(load, way, 1, bytes))),
        new Benchmark(
            "down-16",
            Rig.NEAR,
            false,
            List.of(Figure.atLeast("down-16", "MiB/s", 1)),
            way -> new double[] {get(load, way, STREAMS, each)}),
        new Benchmark(
            "up-16",
            Rig.NEAR,
            false,
            List.of(Figure.atLeast("up-16", "MiB/s", 1)),
            way -> new double[] {put(load, way, STREAMS, each)}),
        new Benchmark(
            "stalled",
            Rig.NEAR,
            false,
            List.of(Figure.atLeastInAll("stalled", "share", 0.9)),
            way -> new double[] {shareBesideStalled(load, way, bytes)}),
        new Benchmark(
            "far-down",
            Rig.FAR,
            false,
            List.of(Figure.atLeast("far-down", "MiB/s", FAR_MUST)),
            way -> new double[] {get(load, way, 1, amounts.farMib() * MIB)}),
        new Benchmark(
            "far-up",
            Rig.FAR,
            false,
            List.of(Figure.free("far-up", "MiB/s")),
            way -> new double[] {put(load, way, 1, Math.max(1, amounts.farMib() / 4) * MIB)}));
  }

  private static List<Benchmark> latencies(Rig rig, Amounts amounts) {
    Load load = rig.load();
    String pings = Integer.toString(amounts.pings());
    String connections = Integer.toString(amounts.connections());
    return List.of(
        new Benchmark(
            "ping-1",
            Rig.NEAR,
            false,
            List.of(Figure.atMost("ping-1-p50", "µs", 1.15), Figure.free("ping-1-p99", "µs")),
            way -> load.run("ping", way.echo(), "1", pings)),
        new Benchmark(
            "ping-4k",
            Rig.NEAR,
            false,
            List.of(Figure.free("ping-4k-p50", "µs"), Figure.atMost("ping-4k-p99", "µs", 0.1)),
            way -> load.run("ping", way.echo(), "4096", pings)),
        new Benchmark(
            "connect-1",
            Rig.NEAR,
            false,
            List.of(Figure.atLeast("connect-1", "1/s", 0.8)),
            way ->
                new double[] {
                  amounts.connections() / load.run("connect", way.echo(), connections, "1")[0]
                }),
        new Benchmark(
            "connect-64",
            Rig.NEAR,
            false,
            List.of(Figure.atLeast("connect-64", "1/s", 0.8)),
            way ->
                new double[] {
                  amounts.connections() / load.run("connect", way.echo(), connections, "64")[0]
                }),
        new Benchmark(
            "call",
            Rig.NEAR,
            false,
            List.of(Figure.atMost("call-p50", "µs", 1.25), Figure.free("call-p99", "µs")),
            way -> load.run("call", way.bus(), pings)),
        new Benchmark(
            "signals",
            Rig.NEAR,
            false,
            List.of(Figure.atLeast("signals", "1/s", 0.8)),
            way -> new double[] {signals(rig, way, amounts.signals())}));
  }

  private static List<Benchmark> starts(Load load, Amounts amounts) {
    long cold = amounts.coldMib() * MIB;
    long half = amounts.memoryMib() * MIB / 2;
    return List.of(
        new Benchmark(
            "start",
            Rig.NEAR,
            true,
            List.of(Figure.atMost("start", "ms", 2)),
            way -> new double[] {way.startSeconds() * 1000}),
        new Benchmark(
            "cold-down",
            Rig.NEAR,
            true,
            List.of(Figure.atLeast("cold-down", "MiB/s", 0.6)),
            way -> new double[] {get(load, way, 1, cold)}),
        new Benchmark(
            "cold-up",
            Rig.NEAR,
            true,
            List.of(Figure.atLeast("cold-up", "MiB/s", 0.6)),
            way -> new double[] {put(load, way, 1, cold)}),
        new Benchmark(
            "memory-idle",
            Rig.NEAR,
            true,
            List.of(Figure.atMostInAll("memory-idle", "MiB", 80)),
            way -> new double[] {idleMemory(way)}),
        new Benchmark(
            "memory-channels",
            Rig.NEAR,
            true,
            List.of(Figure.atMostInAll("memory-channels", "MiB", 120)),
            way -> new double[] {memoryWithChannels(load, way, amounts.held())}),
        new Benchmark(
            "memory-bytes",
            Rig.NEAR,
            true,
            List.of(Figure.atMostInAll("memory-bytes", "MiB", 128)),
            way -> {
              get(load, way, 1, half);
              put(load, way, 1, half);
              return new double[] {memory(way)};
            }));
  }

  /** Runs one measurement of a rate that moves so many MiB. */
  private static double[] rateAndCpu(
      Way way, int mib, java.util.function.DoubleSupplier measurement) {
    double before = cpu(way);
    double rate = measurement.getAsDouble();
    return new double[] {rate, (cpu(way) - before) * MIB_PER_GIB / mib};
  }

  private static double cpu(Way way) {
    return way.pid() == 0 ? 0 : Usage.cpuSeconds(way.pid());
  }

  /** Once it has nothing to do any more. */
  private static double idleMemory(Way way) {
    double before;
    do {
      before = cpu(way);
      try {
        Thread.sleep(500);
      } catch (InterruptedException e) {
        Thread.currentThread().interrupt();
        throw new HarnessException("interrupted", e);
      }
    } while (cpu(way) > before);
    return memory(way);
  }

  private static double memory(Way way) {
    return way.pid() == 0 ? 0 : Usage.rss(way.pid());
  }

  /** MiB/s from the CM, all streams together. */
  private static double get(Load load, Way way, int streams, long bytes) {
    return rate(load.run(Load.arguments("get", way.incoming(streams, bytes))), streams * bytes);
  }

  /** MiB/s to the CM, all streams together. */
  private static double put(Load load, Way way, int streams, long bytes) {
    List<String> arguments = new ArrayList<>(List.of(Long.toString(bytes)));
    arguments.addAll(way.outgoing(streams, bytes));
    return rate(load.run(Load.arguments("put", arguments)), streams * bytes);
  }

  /** The rate of one stream from the CM beside others that nobody reads, by its rate alone. */
  private static double shareBesideStalled(Load load, Way way, long bytes) {
    double alone = get(load, way, 1, bytes);
    List<String> sockets = way.incoming(STREAMS + 1, bytes);
    try (Stalled _ = Stalled.at(sockets.subList(0, STREAMS))) {
      double beside =
          rate(load.run(Load.arguments("get", sockets.subList(STREAMS, STREAMS + 1))), bytes);
      return beside / alone;
    }
  }

  private static double rate(double[] secondsAndBytes, long expected) {
    if (secondsAndBytes[1] != expected) {
      throw new HarnessException(
          (long) secondsAndBytes[1] + " bytes arrived instead of " + expected);
    }
    return expected / secondsAndBytes[0] / MIB;
  }

  private static double signals(Rig rig, Way way, int count) {
    try (Proc receiver = rig.load().serve("count", way.bus(), Integer.toString(count));
        Proc sender = rig.load().start("emit", rig.busSocket(), Integer.toString(count), "1024")) {
      sender.await().ok();
      // Its first line is "ready".
      return count / Load.numbers(receiver.await().ok().out().lines().toList().getLast())[0];
    }
  }

  private static double memoryWithChannels(Load load, Way way, int count) {
    try (Proc holder = load.start("hold", way.echo(), Integer.toString(count))) {
      holder.awaitLine("^[0-9.]+$");
      double memory = memory(way);
      holder.closeStdin();
      holder.await().ok();
      return memory;
    }
  }
}
