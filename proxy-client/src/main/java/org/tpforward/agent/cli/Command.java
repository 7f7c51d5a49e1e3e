package org.tpforward.agent.cli;

import java.io.IOException;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import org.tpforward.agent.AgentException;
import org.tpforward.agent.ExitCode;
import org.tpforward.process.Logging;
import picocli.CommandLine.Option;

/**
 * What the commands share: how much is logged, and how a failure is told. A failure is one line on
 * standard error; who says -v twice also gets the stack trace.
 */
abstract class Command implements Callable<Integer> {
  @Option(
      names = {"-v", "--verbose"},
      description = "Say more; twice: everything, stack traces too.")
  boolean[] verbose = {};

  @Option(
      names = {"-h", "--help"},
      usageHelp = true,
      description = "Show this help.")
  boolean help;

  private @Nullable Interruption interruption;

  /**
   * Says what is to be done when the user interrupts; the process then ends once the failure has
   * been told.
   *
   * @param cancel makes {@link #execute} fail soon
   */
  final void onInterruption(Runnable cancel) {
    interruption = Interruption.of(cancel);
  }

  /** Does the work. */
  abstract int execute() throws AgentException, IOException, InterruptedException;

  @Override
  public final Integer call() {
    // What a library warns of, this program tells in its own words, or not at all.
    Logging.configure(verbose.length, verbose.length - 1);
    try {
      return outcome();
    } finally {
      if (interruption != null) {
        interruption.close();
      }
    }
  }

  private int outcome() {
    try {
      return execute();
    } catch (AgentException e) {
      Messages.error(e.line());
      trace(e);
      return e.exitCode().status();
    } catch (InterruptedException e) {
      Messages.error("interrupted");
      trace(e);
      return ExitCode.FAILED.status();
    } catch (IOException | RuntimeException e) {
      Messages.error(e.getMessage() == null ? e.toString() : e.getMessage());
      trace(e);
      return ExitCode.FAILED.status();
    }
  }

  private void trace(Exception e) {
    if (verbose.length >= 2) {
      e.printStackTrace();
    }
  }
}
