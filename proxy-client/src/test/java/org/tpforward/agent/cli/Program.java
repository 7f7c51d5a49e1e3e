package org.tpforward.agent.cli;

import java.io.BufferedReader;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/** {@link ProgramMain} as a process. Closing it kills it. */
final class Program implements AutoCloseable {
  private final Process process;
  private final BufferedReader out;
  private final BufferedReader err;

  private Program(Process process) {
    this.process = process;
    this.out = process.inputReader(StandardCharsets.UTF_8);
    this.err = process.errorReader(StandardCharsets.UTF_8);
  }

  static Program start(Path runtime, String... arguments) throws IOException {
    return start(runtime, Map.of(), arguments);
  }

  static Program start(Path runtime, Map<String, String> environment, String... arguments)
      throws IOException {
    // A build in the background may have SIGINT ignored, and children inherit that.
    List<String> command = new ArrayList<>(List.of("env", "--default-signal=INT,HUP,TERM"));
    command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
    command.addAll(List.of("-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC", "-XX:-UsePerfData"));
    command.addAll(List.of("--enable-native-access=ALL-UNNAMED", "-cp"));
    command.add(System.getProperty("java.class.path"));
    command.add(ProgramMain.class.getName());
    command.addAll(List.of(arguments));
    ProcessBuilder builder = new ProcessBuilder(command);
    builder.environment().put("XDG_RUNTIME_DIR", runtime.toString());
    builder.environment().put("SHELL", "/bin/sh");
    builder.environment().remove("TPFORWARD_AGENT_PID");
    builder.environment().putAll(environment);
    return new Program(builder.start());
  }

  /** The next line of its output, null at the end. */
  String line() throws IOException {
    return out.readLine();
  }

  /** The rest of its output. */
  List<String> rest() throws IOException {
    return out.lines().toList();
  }

  /** The rest of its messages. */
  String messages() throws IOException {
    return String.join("\n", err.lines().toList());
  }

  long pid() {
    return process.pid();
  }

  boolean isAlive() {
    return process.isAlive();
  }

  /** Sends a signal, by name without SIG. */
  void signal(String name) throws Exception {
    int status =
        new ProcessBuilder("kill", "-" + name, Long.toString(process.pid())).start().waitFor();
    if (status != 0) {
      throw new IllegalStateException("kill -" + name + " failed");
    }
  }

  int exitStatus() throws InterruptedException {
    return process.waitFor();
  }

  @Override
  public void close() {
    process.destroyForcibly();
  }
}
