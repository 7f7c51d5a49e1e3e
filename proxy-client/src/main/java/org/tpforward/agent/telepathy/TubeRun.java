package org.tpforward.agent.telepathy;

import org.jspecify.annotations.Nullable;

/** One tube from its channel to its end, at either end: what an interruption has to reach. */
final class TubeRun {
  private final TubeReport report;
  private @Nullable TubeWatch watch; // guarded by this
  private @Nullable IncomingTubes incoming; // guarded by this
  private @Nullable TubeConnections connections; // guarded by this
  private boolean cancelled; // guarded by this

  TubeRun(TubeReport report) {
    this.report = report;
  }

  /** Begins to watch a tube's channel; it reads the channel's state, and so blocks. */
  TubeWatch watch(LiveConnection connection, RemoteObject channel) throws TransferException {
    TubeWatch begun = new TubeWatch();
    connection.watch(channel, begun);
    begun.initially(TubeState.read(channel));
    synchronized (this) {
      watch = begun;
      if (cancelled) {
        begun.interrupt();
      }
    }
    return begun;
  }

  /** What waits for a tube. */
  synchronized void await(IncomingTubes tubes) {
    incoming = tubes;
    if (cancelled) {
      tubes.lost("interrupted");
    }
  }

  /** Begins to take connections. */
  void begin(TubeConnections begun) {
    synchronized (this) {
      connections = begun;
    }
    begun.start();
  }

  /** Any thread: the user wants no more. */
  synchronized void cancel() {
    cancelled = true;
    if (incoming != null) {
      incoming.lost("interrupted");
    }
    if (watch != null) {
      watch.interrupt();
    }
    if (connections != null) {
      connections.abort("interrupted");
    }
  }

  private synchronized boolean isCancelled() {
    return cancelled;
  }

  /**
   * Tells that the tube is open, and waits for its end.
   *
   * @throws TransferException if it is not one in order
   */
  void untilEnd(TubeWatch watching, Tube tube) throws TransferException, InterruptedException {
    report.open(tube);
    TubeWatch.End end = watching.awaitEnd();
    TubeConnections ending;
    synchronized (this) {
      ending = connections;
    }
    if (ending != null) {
      if (isCancelled()) {
        ending.awaitAborted();
      } else {
        // The word of the end has overtaken what is still on its way.
        ending.drain(end.line());
      }
    }
    if (!end.inOrder()) {
      throw new TransferException(end.line());
    }
    report.closed(tube, end.line());
  }

  /** However it went, nothing of it goes on. */
  void end() {
    TubeConnections ending;
    synchronized (this) {
      ending = connections;
    }
    if (ending != null) {
      ending.abort("the tube has ended");
    }
  }
}
