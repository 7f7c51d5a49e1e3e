package org.tpforward.bench;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.stream.Stream;
import org.tpforward.harness.HarnessException;
import org.tpforward.harness.Login;
import org.tpforward.harness.OneMachine;
import org.tpforward.harness.Proc;

/** The C program that is put at both ends of a forward. */
final class Load {
  private static final Duration PATIENCE = Duration.ofMinutes(10);

  private final Login login;
  private final String program;

  private Load(Login login, String program) {
    this.login = login;
    this.program = program;
  }

  /** Compiles it. */
  static Load build(Login login, OneMachine machine) {
    String program = machine.scratch() + "/load";
    Path sources = Path.of(machine.program(), "integration-tests/src/main/c");
    List<String> command =
        List.of(
            "sh",
            "-c",
            "cc -D_GNU_SOURCE -std=gnu11 -O2 -Wall -Wextra -Werror -pthread -o \"$1\" \"$2\"/*.c",
            "build",
            program,
            sources.toString());
    try {
      Process compiler = new ProcessBuilder(command).redirectErrorStream(true).start();
      String said = new String(compiler.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
      if (compiler.waitFor() != 0) {
        throw new HarnessException("the load program needs gcc and libc6-dev\n" + said);
      }
    } catch (IOException e) {
      throw new HarnessException("cannot run a compiler: install gcc", e);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new HarnessException("interrupted", e);
    }
    return new Load(login, program);
  }

  /** Starts one of its servers and waits until it listens. The caller closes it. */
  Proc serve(String... arguments) {
    Proc server = start(arguments);
    try {
      server.awaitLine("^ready$");
      return server;
    } catch (HarnessException e) {
      server.close();
      throw e;
    }
  }

  /** Starts it. The caller closes it. */
  Proc start(String... arguments) {
    return login.start(Stream.concat(Stream.of(program), Arrays.stream(arguments)).toList());
  }

  /** Runs one of its clients to the end: the numbers that it prints. */
  double[] run(String... arguments) {
    try (Proc client = start(arguments)) {
      client.closeStdin();
      return numbers(client.await(PATIENCE).ok().out());
    }
  }

  static double[] numbers(String line) {
    return Arrays.stream(line.strip().split("\\s+", -1)).mapToDouble(Double::parseDouble).toArray();
  }

  /** One argument after another. */
  static String[] arguments(String first, List<String> rest) {
    List<String> all = new ArrayList<>(List.of(first));
    all.addAll(rest);
    return all.toArray(String[]::new);
  }
}
