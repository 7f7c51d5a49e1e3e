package org.tpforward.bench;

import java.util.ArrayList;
import java.util.List;
import java.util.function.Supplier;

/** Runs a benchmark: ours and ssh take turns, and who begins changes from pair to pair. */
final class Runner {
  private final Rig rig;
  private final int pairs;

  Runner(Rig rig, int pairs) {
    this.rig = rig;
    this.pairs = pairs;
  }

  List<Outcome> run(Benchmark benchmark) {
    if (benchmark.host().equals(Rig.FAR)) {
      rig.needFar();
    }
    List<Outcome> outcomes = benchmark.figures().stream().map(Outcome::new).toList();
    try (Contestant ours = new Contestant(benchmark, () -> AgentWay.start(rig, benchmark.host()));
        Contestant ssh = new Contestant(benchmark, () -> SshWay.start(rig, benchmark.host()))) {
      if (!benchmark.fresh()) {
        double[] direct = benchmark.measurement().measure(new DirectWay(rig));
        for (int i = 0; i < outcomes.size(); i++) {
          outcomes.get(i).direct(direct[i]);
        }
      }
      // Of programs that are started anew it is the files that are warm then.
      ours.measure();
      ssh.measure();
      ours.forget();
      ssh.forget();
      for (int pair = 0; pair < pairs; pair++) {
        boolean first = pair % 2 == 0;
        double[] before = (first ? ours : ssh).measure();
        double[] after = (first ? ssh : ours).measure();
        for (int i = 0; i < outcomes.size(); i++) {
          outcomes.get(i).pair((first ? before : after)[i], (first ? after : before)[i]);
        }
      }
      outcomes.forEach(outcome -> outcome.costs(ours.cost, ssh.cost));
    }
    return new ArrayList<>(outcomes);
  }

  /** One of the two, with what it has used. */
  private static final class Contestant implements AutoCloseable {
    private final Benchmark benchmark;
    private final Supplier<Way> start;
    private final List<Way> running = new ArrayList<>();
    private Outcome.Cost cost = Outcome.Cost.NONE;

    Contestant(Benchmark benchmark, Supplier<Way> start) {
      this.benchmark = benchmark;
      this.start = start;
    }

    double[] measure() {
      if (running.isEmpty()) {
        running.add(start.get());
      }
      Way way = running.getFirst();
      double before = benchmark.fresh() ? 0 : Usage.cpuSeconds(way.pid());
      double[] values = benchmark.measurement().measure(way);
      cost = cost.and(Usage.cpuSeconds(way.pid()) - before, Usage.peakRss(way.pid()));
      if (benchmark.fresh()) {
        close();
      }
      return values;
    }

    /** What was a warm-up does not count. */
    void forget() {
      cost = Outcome.Cost.NONE;
    }

    @Override
    public void close() {
      running.forEach(Way::close);
      running.clear();
    }
  }
}
