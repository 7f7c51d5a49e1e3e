package org.tpforward.bench;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import org.tpforward.harness.HarnessException;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** The benchmark's command line. Exit status 1 if a figure misses its bound, 2 if it is misused. */
@Command(
    name = "bench",
    description = "Measures tpforward, as it is shipped, against ssh -L.",
    mixinStandardHelpOptions = true)
public final class Bench implements Callable<Integer> {
  /** Below these the figures say more of the machine than of the programs. */
  private static final int CORES = 2;

  private static final long MIN_MEMORY_MIB = 1500;

  @Parameters(
      paramLabel = "NAME",
      description =
          "What to measure: a name of the table's first column (--list), or a beginning"
              + " of it. Everything but growth if none is given.")
  private List<String> names = new ArrayList<>();

  @Option(names = "--json", paramLabel = "FILE", description = "Write the outcomes there too.")
  private @Nullable Path json;

  @Option(names = "--pairs", paramLabel = "N", description = "Measure each so often (5).")
  private @Nullable Integer pairs;

  @Option(names = "--size", paramLabel = "MIB", description = "The size of one stream (1024).")
  private @Nullable Integer size;

  @Option(
      names = "--tiny",
      description = "Next to nothing of everything: to see that it works, not how fast.")
  private boolean tiny;

  @Option(names = "--list", description = "Print the names.")
  private boolean list;

  /** Runs the program. */
  public static void main(String[] arguments) {
    System.exit(run(arguments));
  }

  /** Runs the program; its exit status. */
  public static int run(String... arguments) {
    return new CommandLine(new Bench())
        .setExecutionExceptionHandler((e, line, parsed) -> {
          if (!(e instanceof HarnessException)) {
            throw e;
          }
          System.err.println("bench: " + e.getMessage());
          return 1;
        })
        .execute(arguments);
  }

  @Override
  public Integer call() throws IOException {
    Amounts amounts = tiny ? Amounts.TINY : Amounts.FULL;
    amounts = pairs != null ? amounts.withPairs(pairs) : amounts;
    amounts = size != null ? amounts.withSize(size) : amounts;
    warnOfTooLittle(amounts);
    List<Outcome> outcomes = new ArrayList<>();
    try (Rig rig = Rig.open()) {
      Thread end = new Thread(rig::close, "end of the bench");
      Runtime.getRuntime().addShutdownHook(end);
      List<Benchmark> all = Benchmark.all(rig, amounts);
      if (list) {
        all.forEach(benchmark -> System.out.println(benchmark.name()));
      } else {
        List<Benchmark> chosen = all.stream().filter(this::isWanted).toList();
        if (chosen.isEmpty()) {
          System.err.println("bench: nothing is called " + String.join(" or ", names));
          return 2;
        }
        System.out.print(Report.header());
        Runner runner = new Runner(rig, amounts.pairs());
        for (Benchmark benchmark : chosen) {
          List<Outcome> measured = runner.run(benchmark);
          measured.forEach(outcome -> System.out.print(Report.row(outcome)));
          outcomes.addAll(measured);
        }
      }
      Runtime.getRuntime().removeShutdownHook(end);
    }
    if (json != null) {
      Files.writeString(json, Report.json(outcomes));
    }
    return outcomes.stream().allMatch(Outcome::passes) ? 0 : 1;
  }

  private boolean isWanted(Benchmark benchmark) {
    return names.isEmpty()
        ? benchmark.isUsual()
        : names.stream().anyMatch(benchmark.name()::startsWith);
  }

  private static void warnOfTooLittle(Amounts amounts) throws IOException {
    int cores = Runtime.getRuntime().availableProcessors();
    if (cores < CORES) {
      warn("one core: both ends share it, so rates say little of a real link");
    }
    long available =
        Files.readAllLines(Path.of("/proc/meminfo")).stream()
            .filter(line -> line.startsWith("MemAvailable:"))
            .mapToLong(line -> Long.parseLong(line.replaceAll("[^0-9]", "")) / 1024)
            .findFirst()
            .orElse(Long.MAX_VALUE);
    if (available < MIN_MEMORY_MIB) {
      warn(available + " MiB of memory are free: what is swapped out is not measured");
    }
    long descriptors = descriptors();
    if (descriptors < amounts.held() + 100L) {
      warn(
          descriptors
              + " descriptors are allowed: ssh cannot hold "
              + amounts.held()
              + " channels (ulimit -n)");
    }
  }

  private static long descriptors() throws IOException {
    // The JVM has raised its own soft limit; programs that it starts get what the shell gave it.
    return Files.readAllLines(Path.of("/proc/self/limits")).stream()
        .filter(line -> line.startsWith("Max open files"))
        .map(line -> line.replaceAll("^Max open files +([^ ]+).*$", "$1"))
        .mapToLong(soft -> soft.equals("unlimited") ? Long.MAX_VALUE : Long.parseLong(soft))
        .findFirst()
        .orElse(Long.MAX_VALUE);
  }

  private static void warn(String what) {
    System.err.println("bench: this machine has little: " + what);
  }
}
