package org.tpforward.agent.telepathy;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayDeque;
import java.util.HashSet;
import java.util.Queue;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Semaphore;
import org.jspecify.annotations.Nullable;
import org.tpforward.dbus.BusConnection;
import org.tpforward.relay.Threads;
import org.tpforward.telepathy.Names;

/**
 * Takes the files that contacts offer, each on a thread of its own. {@link #cancel} may be called
 * by another thread.
 */
public final class FileReceiver {
  /** Transfers at once; further offers wait. */
  private static final int MAX_TRANSFERS = 32;

  /** Who is told what became of the offers. For any number of threads. */
  public interface Report {
    /** What is offered from here on is taken. */
    void waiting();

    /** It is there, all of it. */
    void saved(String contact, Path file, long size);

    /** It is not. */
    void failed(String contact, String line);
  }

  private final Path directory;
  private final boolean once;
  private final Progress progress;
  private final Report report;
  private final Semaphore places = new Semaphore(MAX_TRANSFERS);
  private final CompletableFuture<Boolean> end = new CompletableFuture<>();
  private final Set<String> seen = new HashSet<>(); // guarded by this
  private final Set<IncomingFile> active = new HashSet<>(); // guarded by this
  private final Queue<IncomingFile> next = new ArrayDeque<>(); // guarded by this
  private boolean cancelled; // guarded by this
  private boolean failed; // guarded by this

  /**
   * @param directory where the files go
   * @param once whether the first transfer is the last
   * @param progress told of the bytes
   * @param report told of each file
   */
  public FileReceiver(Path directory, boolean once, Progress progress, Report report) {
    this.directory = directory;
    this.once = once;
    this.progress = progress;
    this.report = report;
  }

  /**
   * Receives until the one file has come, the connection is lost, or {@link #cancel}.
   *
   * @param account what stands after --account, null: the only one
   * @return whether every file that was offered is there
   * @throws TransferException if the connection cannot be used, or was lost
   */
  public boolean receive(BusConnection bus, @Nullable String account)
      throws TransferException, InterruptedException {
    if (!Files.isDirectory(directory) || !Files.isWritable(directory)) {
      throw new TransferException(directory + " is no directory in which files can be made");
    }
    LiveConnection connection = LiveConnection.open(bus, new Accounts(bus).choose(account));
    progress.line("waiting for files for " + connection.account().shortName() + " in " + directory);
    connection.onNewChannel((path, properties) -> offered(connection, path, properties));
    report.waiting();
    Threads.start(
        "connection",
        () -> {
          try {
            end.completeExceptionally(new TransferException(connection.awaitLoss()));
          } catch (InterruptedException e) {
            // Never: nobody has this thread.
          }
        });
    try {
      return end.get();
    } catch (ExecutionException e) {
      awaitActive();
      Throwable cause = e.getCause();
      throw new TransferException(
          cause == null ? e.toString() : String.valueOf(cause.getMessage()), "", e);
    }
  }

  /** Must not block: the bus's reading thread calls it. */
  private void offered(LiveConnection connection, String path, Properties properties) {
    if (!properties.text(Names.CHANNEL + ".ChannelType").equals(FileState.INTERFACE)
        || properties.isTrue(Names.CHANNEL + ".Requested")) {
      return;
    }
    IncomingFile file = new IncomingFile(connection, path, properties, directory, progress);
    synchronized (this) {
      if (cancelled || !seen.add(path)) {
        return;
      }
      if (once && !active.isEmpty()) {
        next.add(file);
        return;
      }
    }
    begin(file);
  }

  private void begin(IncomingFile file) {
    synchronized (this) {
      active.add(file);
    }
    Threads.start("receive", () -> take(file));
  }

  private void take(IncomingFile file) {
    boolean taken = false;
    try {
      places.acquire();
      try {
        taken = file.isPending();
        if (taken) {
          Path saved = file.receive();
          report.saved(file.contact(), saved, Files.size(saved));
        }
      } finally {
        places.release();
      }
    } catch (IOException | RuntimeException e) {
      synchronized (this) {
        failed = true;
      }
      taken = true;
      report.failed(file.contact(), e.getMessage() == null ? e.toString() : e.getMessage());
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    } finally {
      done(file, taken);
    }
  }

  private synchronized void done(IncomingFile file, boolean taken) {
    active.remove(file);
    notifyAll();
    if (once && taken) {
      end.complete(!failed);
      return;
    }
    IncomingFile following = cancelled ? null : next.poll();
    if (following != null) {
      begin(following);
    }
  }

  /** Gives up: what is under way ends with its channels closed, and its parts kept. */
  public void cancel() throws InterruptedException {
    synchronized (this) {
      cancelled = true;
      active.forEach(IncomingFile::cancel);
    }
    awaitActive();
    end.complete(false);
  }

  private synchronized void awaitActive() throws InterruptedException {
    while (!active.isEmpty()) {
      wait();
    }
  }
}
