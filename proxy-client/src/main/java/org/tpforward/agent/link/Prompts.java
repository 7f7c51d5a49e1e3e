package org.tpforward.agent.link;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Asks the user, as ssh(1) does: on the terminal, or with the program SSH_ASKPASS where there is no
 * terminal or SSH_ASKPASS_REQUIRE says so. Calls block until there is an answer.
 */
final class Prompts {
  private static final Logger log = LoggerFactory.getLogger(Prompts.class);
  private static final int LONGEST_ANSWER = 4096;
  private static final long ASKPASS_MINUTES = 5;

  private final UserEnvironment environment;
  private final boolean allowed;
  private final AtomicLong nanosAsking = new AtomicLong();
  private final AtomicLong askingSince = new AtomicLong();

  /**
   * @param allowed false in the background and under BatchMode: then every answer is null
   */
  Prompts(UserEnvironment environment, boolean allowed) {
    this.environment = environment;
    this.allowed = allowed;
  }

  /** How long the user has been waited for up to now, in nanoseconds. */
  long nanosAsking() {
    long since = askingSince.get();
    return nanosAsking.get() + (since == 0 ? 0 : System.nanoTime() - since);
  }

  /** Whether there is anybody to ask for a password. */
  boolean canAsk() {
    return allowed && (terminal() != null || askpass() != null);
  }

  /**
   * Asks for a passphrase, a password or an answer to a challenge.
   *
   * @param prompt printable; the answer stands on the same line
   * @param echo whether what is typed may be seen
   * @return the answer, or null if nobody can be asked or the user gave none
   */
  @Nullable String ask(String prompt, boolean echo) {
    if (!allowed) {
      return null;
    }
    return timed(() -> {
      Path terminal = prefersAskpass() ? null : terminal();
      if (terminal != null) {
        try (Terminal tty = Terminal.open(terminal)) {
          return tty.ask(prompt, echo);
        }
      }
      String askpass = askpass();
      return askpass == null ? null : runAskpass(askpass, prompt);
    });
  }

  /** Asks on the terminal and nowhere else; null if there is none. */
  @Nullable String askOnTerminal(String prompt) {
    Path terminal = terminal();
    if (!allowed || terminal == null) {
      return null;
    }
    return timed(() -> {
      try (Terminal tty = Terminal.open(terminal)) {
        return tty.ask(prompt, true);
      }
    });
  }

  private interface Question {
    @Nullable String answer() throws IOException;
  }

  private @Nullable String timed(Question question) {
    long start = System.nanoTime();
    askingSince.set(start);
    try {
      return question.answer();
    } catch (IOException e) {
      log.debug("the user cannot be asked", e);
      return null;
    } finally {
      nanosAsking.addAndGet(System.nanoTime() - start);
      askingSince.set(0);
    }
  }

  private @Nullable Path terminal() {
    Path terminal = environment.terminal();
    return terminal != null && Terminal.isThere(terminal) ? terminal : null;
  }

  private String require() {
    String require = environment.variable("SSH_ASKPASS_REQUIRE");
    return require == null ? "" : require;
  }

  private boolean hasDisplay() {
    return environment.variable("DISPLAY") != null
        || environment.variable("WAYLAND_DISPLAY") != null;
  }

  private boolean prefersAskpass() {
    return switch (require()) {
      case "force" -> true;
      case "prefer" -> hasDisplay();
      default -> false;
    };
  }

  private @Nullable String askpass() {
    boolean usable =
        switch (require()) {
          case "force" -> true;
          case "never" -> false;
          default -> hasDisplay();
        };
    if (!usable) {
      return null;
    }
    String program = environment.variable("SSH_ASKPASS");
    String chosen = program == null ? "/usr/bin/ssh-askpass" : program;
    return Files.isExecutable(Path.of(chosen)) ? chosen : null;
  }

  private @Nullable String runAskpass(String program, String prompt) throws IOException {
    Process process =
        environment
            .process(List.of(program, prompt))
            .redirectInput(ProcessBuilder.Redirect.from(new java.io.File("/dev/null")))
            .redirectError(ProcessBuilder.Redirect.DISCARD)
            .start();
    try {
      String answer = Terminal.line(process.getInputStream(), LONGEST_ANSWER);
      if (!process.waitFor(ASKPASS_MINUTES, TimeUnit.MINUTES) || process.exitValue() != 0) {
        return null;
      }
      return answer == null ? "" : answer;
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      return null;
    } finally {
      process.destroy();
    }
  }
}
