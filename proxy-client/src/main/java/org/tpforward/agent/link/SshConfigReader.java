package org.tpforward.agent.link;

import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.FutureTask;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Finds out what the user's configuration says about a destination: by asking {@code ssh -G}, which
 * knows Include, Match and every default of its distribution; or, where ssh is not installed, by
 * {@link SshConfigFile}.
 */
final class SshConfigReader {
  private static final Logger log = LoggerFactory.getLogger(SshConfigReader.class);
  private static final int LONGEST_OUTPUT = 1 << 20;
  // Match exec runs commands of the user's.
  private static final long SECONDS = 30;

  private SshConfigReader() {}

  /** Blocks for a moment: one or two short processes. */
  static SshConfig read(LinkOptions options, UserEnvironment environment) throws LinkException {
    Path ssh = environment.program("ssh");
    if (ssh == null) {
      log.debug("ssh is not installed: reading its configuration files without it");
      return ConfigExpansion.expand(
          options, environment, SshConfigFile.read(options, environment), new ConfigValues());
    }
    // Both at the same time: the user waits.
    Question first = Question.ask(command(ssh.toString(), options, environment), environment);
    Question second =
        Question.ask(
            List.of(ssh.toString(), "-G", "-T", "-F", "none", "--", "localhost"), environment);
    return ConfigExpansion.expand(options, environment, first.answer(), second.answer());
  }

  /** The value for {@code -F}, or null where ssh finds the files by itself. */
  static @Nullable String configFile(LinkOptions options, UserEnvironment environment) {
    if (options.configFile() != null) {
      return options.configFile();
    }
    if (environment.home().toString().equals(System.getProperty("user.home"))) {
      return null;
    }
    Path own = environment.home().resolve(".ssh/config");
    return Files.exists(own) ? own.toString() : "none";
  }

  private static List<String> command(
      String ssh, LinkOptions options, UserEnvironment environment) {
    List<String> command = new ArrayList<>(List.of(ssh, "-G", "-T"));
    String config = configFile(options, environment);
    if (config != null) {
      command.addAll(List.of("-F", config));
    }
    if (options.port() != 0) {
      command.addAll(List.of("-p", Integer.toString(options.port())));
    }
    for (String identity : options.identities()) {
      command.addAll(List.of("-i", identity));
    }
    for (String option : options.options()) {
      command.addAll(List.of("-o", option));
    }
    Destination destination = options.destination();
    if (destination.port() != 0) {
      command.addAll(List.of("-p", Integer.toString(destination.port())));
    }
    if (destination.user() != null) {
      command.addAll(List.of("-l", destination.user()));
    }
    command.addAll(List.of("--", destination.host()));
    return command;
  }

  /** An ssh that has been started to tell its configuration. */
  private record Question(Process process, FutureTask<String> output, FutureTask<String> errors) {
    static Question ask(List<String> command, UserEnvironment environment) throws LinkException {
      try {
        Process process =
            environment
                .process(command)
                .redirectInput(ProcessBuilder.Redirect.from(new java.io.File("/dev/null")))
                .start();
        return new Question(
            process, read(process.getInputStream()), read(process.getErrorStream()));
      } catch (IOException e) {
        throw new LinkException(
            LinkException.Cause.CONFIGURATION, "ssh -G cannot be run: " + e.getMessage(), e);
      }
    }

    private static FutureTask<String> read(InputStream in) {
      FutureTask<String> text = new FutureTask<>(() -> text(in));
      Thread.ofPlatform().daemon().name("ssh -G").start(text);
      return text;
    }

    ConfigValues answer() throws LinkException {
      try {
        if (!process.waitFor(SECONDS, TimeUnit.SECONDS)) {
          process.destroyForcibly();
          throw new LinkException(
              LinkException.Cause.CONFIGURATION,
              "ssh -G did not end in " + SECONDS + " s: see Match exec in the ssh configuration");
        }
        if (process.exitValue() != 0) {
          throw new LinkException(
              LinkException.Cause.CONFIGURATION,
              "ssh does not accept its configuration: " + OneLine.of(errors.get(), 300));
        }
        errors.get().lines().forEach(line -> log.warn("{}", OneLine.of(line, 300)));
        return parse(output.get());
      } catch (ExecutionException e) {
        throw new LinkException(
            LinkException.Cause.CONFIGURATION, "ssh -G cannot be read: " + e.getCause(), e);
      } catch (InterruptedException e) {
        Thread.currentThread().interrupt();
        throw new LinkException(LinkException.Cause.CLOSED, "interrupted", e);
      }
    }
  }

  private static String text(InputStream in) throws IOException {
    try (in) {
      return new String(in.readNBytes(LONGEST_OUTPUT), StandardCharsets.UTF_8);
    }
  }

  private static ConfigValues parse(String output) {
    ConfigValues values = new ConfigValues();
    for (String line : output.split("\n", -1)) {
      int space = line.indexOf(' ');
      if (space > 0) {
        values.add(line.substring(0, space), line.substring(space + 1).strip());
      }
    }
    return values;
  }
}
