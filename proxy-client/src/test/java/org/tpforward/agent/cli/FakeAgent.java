package org.tpforward.agent.cli;

import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import org.tpforward.agent.AgentOptions;
import org.tpforward.agent.AgentStatus;
import org.tpforward.agent.ExitCode;
import org.tpforward.agent.RunningAgent;
import org.tpforward.agent.RuntimeDirectory;
import org.tpforward.agent.TestStatus;

/**
 * An agent without a link, for tests of what is around it. One for {@code lost@…} has lost its link
 * as soon as it has started.
 */
final class FakeAgent implements RunningAgent {
  private final RuntimeDirectory directory;
  private final CompletableFuture<ExitCode> end = new CompletableFuture<>();

  private FakeAgent(RuntimeDirectory directory) {
    this.directory = directory;
  }

  static RunningAgent start(AgentOptions options, RuntimeDirectory directory) {
    FakeAgent agent = new FakeAgent(directory);
    if (options.destination().startsWith("lost@")) {
      agent.end.complete(ExitCode.LINK);
    }
    return agent;
  }

  @Override
  public String busAddress() {
    return "unix:path=" + directory.bus();
  }

  @Override
  public AgentStatus status() {
    return TestStatus.of(directory.name());
  }

  @Override
  public ExitCode awaitEnd() throws InterruptedException {
    try {
      return end.get();
    } catch (ExecutionException e) {
      throw new IllegalStateException(e);
    }
  }

  @Override
  public void close() {
    end.complete(ExitCode.OK);
  }
}
