package org.tpforward.bench;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.tpforward.harness.HarnessException;

/** What a process has used so far, as the kernel says (proc(5)). */
final class Usage {
  /** {@code USER_HZ}, which is the same on all of Linux. */
  private static final double TICKS_PER_SECOND = 100;

  private static final double KIB_PER_MIB = 1024;

  private Usage() {}

  /** Seconds of all its threads, in user mode and in the kernel. */
  static double cpuSeconds(long pid) {
    String stat = read(pid, "stat");
    // The second field, in parentheses, may hold spaces.
    List<String> fields = List.of(stat.substring(stat.lastIndexOf(')') + 2).split(" ", -1));
    return (Long.parseLong(fields.get(11)) + Long.parseLong(fields.get(12))) / TICKS_PER_SECOND;
  }

  /** Resident memory now, in MiB. */
  static double rss(long pid) {
    return status(pid, "VmRSS:");
  }

  /** The most resident memory that it ever had, in MiB. */
  static double peakRss(long pid) {
    return status(pid, "VmHWM:");
  }

  private static double status(long pid, String key) {
    return read(pid, "status")
        .lines()
        .filter(line -> line.startsWith(key))
        .mapToDouble(line -> Double.parseDouble(line.replaceAll("[^0-9]", "")) / KIB_PER_MIB)
        .findFirst()
        .orElseThrow(() -> new HarnessException("no " + key + " for process " + pid));
  }

  private static String read(long pid, String file) {
    try {
      return Files.readString(Path.of("/proc/" + pid + "/" + file), StandardCharsets.ISO_8859_1);
    } catch (IOException e) {
      throw new HarnessException("process " + pid + " is gone", e);
    }
  }
}
