package org.tpforward.it;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.openjdk.jmh.runner.Runner;
import org.openjdk.jmh.runner.options.OptionsBuilder;
import org.openjdk.jmh.runner.options.TimeValue;
import org.tpforward.bench.Bench;

/** The benchmark still runs. What it measures is tiny here, and its figures say nothing. */
@Timeout(600)
class BenchIT {
  @TempDir Path directory;

  @Test
  void oneTinyPairOfEachFigure() throws Exception {
    Path file = directory.resolve("bench.json");
    // 1: some bounds are missed by so little.
    assertThat(Bench.run("--tiny", "--json", file.toString())).isIn(0, 1);
    String json = Files.readString(file);
    Matcher entries =
        Pattern.compile(
                "\\{\"name\": \"([a-z0-9-]+)\", \"unit\": \"[^\"]+\", \"ours\": ([0-9.]+), \"ssh\":"
                    + " [0-9.]+, \"ratio\": [0-9.]+, \"spread\": [0-9.]+, \"must\":"
                    + " (?:null|[0-9.]+), \"pass\": (?:true|false)}")
            .matcher(json);
    List<String> names = new ArrayList<>();
    while (entries.find()) {
      names.add(entries.group(1));
      if (!entries.group(1).endsWith("-cpu")) {
        assertThat(Double.parseDouble(entries.group(2))).as(entries.group(1)).isPositive();
      }
    }
    assertThat(names)
        .contains("down", "up-cpu", "up-16", "far-down", "ping-4k-p99", "connect-64", "signals")
        .contains("call-p50", "start", "cold-up", "memory-channels")
        .doesNotHaveDuplicates()
        .hasSize(json.split("\"name\"", -1).length - 1);
  }

  @Test
  void anUnknownNameIsRefused() {
    assertThat(Bench.run("--tiny", "no-such-figure")).isEqualTo(2);
  }

  @Test
  void theInnerPieces() throws Exception {
    var options =
        new OptionsBuilder()
            .include("org\\.tpforward\\.bench\\.micro\\.")
            .forks(0)
            .warmupIterations(0)
            .measurementIterations(1)
            .measurementTime(TimeValue.milliseconds(10))
            .shouldFailOnError(true)
            .build();
    assertThat(new Runner(options).run()).hasSize(7);
  }
}
