package org.tpforward.it;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Collectors;
import org.tpforward.harness.HarnessException;

/**
 * The system calls that tpforward-server.service allows, worked out as systemd.exec(5) says of
 * SystemCallFilter: what the first line names, less and more what the others do.
 */
record SystemCalls(Set<String> allowed) {
  private static final Path UNIT =
      Path.of("../proxy-server/src/main/systemd/tpforward-server.service");
  private static final String FILTER = "SystemCallFilter=";

  static SystemCalls ofUnit() throws IOException {
    // Allowed without a word, in a list of what is allowed.
    Set<String> allowed = new TreeSet<>(members("@default"));
    List<String> lines = Files.readAllLines(UNIT);
    if (!lines.contains("SystemCallErrorNumber=EPERM")) {
      throw new HarnessException("the unit has calls end in something else than EPERM");
    }
    for (String line : lines) {
      if (line.startsWith(FILTER)) {
        String names = line.substring(FILTER.length());
        boolean denies = names.startsWith("~");
        for (String name : (denies ? names.substring(1) : names).split(" ", -1)) {
          Set<String> calls = name.startsWith("@") ? members(name) : Set.of(name);
          boolean _ = denies ? allowed.removeAll(calls) : allowed.addAll(calls);
        }
      }
    }
    if (!allowed.contains("execve") || allowed.contains("mount")) {
      throw new HarnessException("not the unit's filter: " + allowed);
    }
    return new SystemCalls(allowed);
  }

  /** The calls of a set of systemd's, and of the sets in it. */
  private static Set<String> members(String set) throws IOException {
    Set<String> calls = new TreeSet<>();
    Process process =
        new ProcessBuilder("systemd-analyze", "--no-pager", "syscall-filter", set)
            .redirectError(ProcessBuilder.Redirect.INHERIT)
            .start();
    String said = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
    for (String line : said.lines().skip(1).map(String::strip).toList()) {
      if (line.startsWith("@")) {
        calls.addAll(members(line));
      } else if (!line.isEmpty() && !line.startsWith("#")) {
        calls.add(line);
      }
    }
    return calls;
  }

  /** For runc: the format is that of the OCI runtime specification, linux.seccomp, as podman's. */
  String toSeccompProfile() {
    return """
    {"defaultAction": "SCMP_ACT_ERRNO", "defaultErrnoRet": 1,
     "syscalls": [{"action": "SCMP_ACT_ALLOW", "names": [%s]}]}
    """
        .formatted(
            allowed.stream().map(call -> '"' + call + '"').collect(Collectors.joining(", ")));
  }
}
