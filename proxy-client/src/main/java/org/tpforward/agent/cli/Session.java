package org.tpforward.agent.cli;

import java.io.IOException;
import java.nio.file.Path;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.tpforward.agent.AgentException;
import org.tpforward.agent.AgentOptions;
import org.tpforward.agent.ControlSocket;
import org.tpforward.agent.ExitCode;
import org.tpforward.agent.RunningAgent;
import org.tpforward.agent.RuntimeDirectory;

/**
 * An agent in this process, with its runtime directory and its control socket. However the process
 * ends, short of SIGKILL, nothing of them remains: a shutdown hook closes it.
 */
final class Session implements AutoCloseable {
  private static final Logger LOG = LoggerFactory.getLogger(Session.class);

  private final RuntimeDirectory directory;
  private volatile @Nullable RunningAgent agent;
  private @Nullable ControlSocket control;
  private boolean closed; // guarded by this

  private Session(RuntimeDirectory directory) {
    this.directory = directory;
  }

  /**
   * Starts an agent; returns once its bus can be reached.
   *
   * @param base see {@link org.tpforward.agent.RuntimeBase}
   */
  static Session start(AgentStarter starter, AgentOptions options, Path base)
      throws AgentException {
    RuntimeDirectory directory =
        RuntimeDirectory.claim(base, options.name(), !options.allowUids().isEmpty());
    Session session = new Session(directory);
    Runtime.getRuntime().addShutdownHook(new Thread(session::close, "end"));
    boolean started = false;
    try {
      session.start(starter.start(options, directory));
      started = true;
      return session;
    } catch (IOException e) {
      throw new AgentException(
          ExitCode.RUNTIME_DIRECTORY,
          directory.control() + " cannot be listened on: " + e.getMessage(),
          e);
    } finally {
      if (!started) {
        session.close();
      }
    }
  }

  private synchronized void start(RunningAgent started) throws IOException {
    agent = started;
    if (closed) {
      started.close();
      throw new IOException("interrupted");
    }
    control = ControlSocket.open(directory.control(), started::status, this::stop);
  }

  /** The agent. */
  RunningAgent agent() {
    RunningAgent started = agent;
    if (started == null) {
      throw new IllegalStateException("the agent has not started");
    }
    return started;
  }

  /** The directory. */
  RuntimeDirectory directory() {
    return directory;
  }

  /** Ends the agent and removes its directory; whoever comes second waits for the first. */
  @Override
  public synchronized void close() {
    if (closed) {
      return;
    }
    closed = true;
    try {
      if (control != null) {
        control.close();
      }
      RunningAgent started = agent;
      if (started != null) {
        started.close();
      }
    } finally {
      directory.close();
    }
  }

  /** What the control socket's stop means: whatever goes wrong, the process ends. */
  private void stop() {
    try {
      close();
    } catch (RuntimeException | Error e) {
      // As when the program's files were replaced beneath it: what is not loaded yet is gone.
      LOG.error("The agent did not end in order", e);
      Runtime.getRuntime().halt(ExitCode.FAILED.status());
    }
  }
}
