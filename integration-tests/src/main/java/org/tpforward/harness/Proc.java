package org.tpforward.harness;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStream;
import java.io.InputStreamReader;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;

/**
 * A program that was started: what it says, line by line, and its end. Only the last lines are
 * kept. Any thread may call; {@link #close} ends the program and its children.
 */
public final class Proc implements AutoCloseable {
  /**
   * How long anything is waited for before it counts as hung. Never how long a thing takes: that
   * comes as an event. Set by the property tpforward.harness.seconds.
   */
  public static final Duration PATIENCE =
      Duration.ofSeconds(Integer.getInteger("tpforward.harness.seconds", 60));

  private static final int LINES_KEPT = 20_000;
  private static final int LINE_LENGTH = 8192;
  private static final Duration GRACE = Duration.ofSeconds(5);

  private enum Source {
    OUT,
    ERR
  }

  private record Line(Source source, long number, String text) {}

  /**
   * How a program ended.
   *
   * @param status exit status, 128 + n after signal n
   * @param out what it wrote to standard output
   * @param err what it wrote to standard error
   */
  public record Result(int status, String out, String err) {
    /** This result, if the program succeeded. */
    public Result ok() {
      if (status != 0) {
        throw new HarnessException("exit status " + status + "\n" + out + err);
      }
      return this;
    }
  }

  private final String name;
  private final Process process;
  private final boolean forks;
  private final List<Thread> readers = new ArrayList<>();
  private final Deque<Line> lines = new ArrayDeque<>();
  private long count;
  private int openStreams;

  private Proc(String name, Process process, boolean forks) {
    this.name = name;
    this.process = process;
    this.forks = forks;
  }

  static Proc start(List<String> argv, Login login, boolean terminal) {
    List<String> command =
        login.place().command(login.user(), login.environment(), login.home(), argv);
    return start(argv.getFirst(), command, login.place().forks(), terminal);
  }

  static Proc start(String name, List<String> command, boolean forks, boolean terminal) {
    ProcessBuilder builder = new ProcessBuilder(command);
    if (terminal) {
      builder.inheritIO();
    }
    Process process;
    try {
      process = builder.start();
    } catch (IOException e) {
      throw new HarnessException("cannot start " + command, e);
    }
    Proc proc = new Proc(name.substring(name.lastIndexOf('/') + 1), process, forks);
    if (!terminal) {
      proc.read(Source.OUT, process.getInputStream());
      proc.read(Source.ERR, process.getErrorStream());
    }
    return proc;
  }

  private void read(Source source, InputStream in) {
    synchronized (this) {
      openStreams++;
    }
    readers.add(
        Thread.ofPlatform()
            .daemon()
            .name(name + " " + source)
            .start(() -> {
              try (BufferedReader reader =
                  new BufferedReader(new InputStreamReader(in, StandardCharsets.UTF_8))) {
                StringBuilder text = new StringBuilder();
                for (int c = reader.read(); c >= 0; c = reader.read()) {
                  if (c == '\n') {
                    add(source, text.toString());
                    text.setLength(0);
                  } else if (text.length() < LINE_LENGTH) {
                    text.append((char) c);
                  }
                }
                if (!text.isEmpty()) {
                  add(source, text.toString());
                }
              } catch (IOException e) {
                // The stream was closed under us: the program is being ended.
              } finally {
                synchronized (this) {
                  openStreams--;
                  notifyAll();
                }
              }
            }));
  }

  private synchronized void add(Source source, String text) {
    if (lines.size() == LINES_KEPT) {
      lines.removeFirst();
    }
    lines.addLast(new Line(source, count++, text));
    notifyAll();
  }

  /**
   * Waits until the program has said a line, on either stream, in which the expression is found.
   *
   * @throws HarnessException if it ends without, or nothing is heard
   */
  public Matcher awaitLine(String regex) {
    return awaitLine(regex, 0);
  }

  /**
   * Waits for a line as {@link #awaitLine(String)} does, but only for one said after a mark.
   *
   * @param mark what {@link #mark} gave
   */
  public synchronized Matcher awaitLine(String regex, long mark) {
    Pattern pattern = Pattern.compile(regex);
    long deadline = System.nanoTime() + PATIENCE.toNanos();
    long seen = mark;
    while (true) {
      for (Line line : lines) {
        Matcher matcher = pattern.matcher(line.text);
        if (line.number >= seen && matcher.find()) {
          return matcher;
        }
      }
      seen = count;
      if (openStreams == 0) {
        throw new HarnessException(name + " ended without saying \"" + regex + "\"\n" + said());
      }
      long millis = TimeUnit.NANOSECONDS.toMillis(deadline - System.nanoTime());
      if (millis <= 0) {
        throw new HarnessException(name + " never said \"" + regex + "\"\n" + said());
      }
      try {
        wait(millis);
      } catch (InterruptedException e) {
        Thread.currentThread().interrupt();
        throw new HarnessException("interrupted while waiting for " + name, e);
      }
    }
  }

  /** A point in the program's output: everything said so far is before it. */
  public synchronized long mark() {
    return count;
  }

  /** The lines said after a mark in which the expression is found. */
  public synchronized List<String> linesSince(long mark, String regex) {
    Pattern pattern = Pattern.compile(regex);
    return lines.stream()
        .filter(line -> line.number >= mark && pattern.matcher(line.text).find())
        .map(Line::text)
        .toList();
  }

  /** What was said on both streams, in the order in which it arrived. */
  public synchronized String said() {
    return lines.stream().map(line -> line.text + "\n").collect(Collectors.joining());
  }

  private synchronized String said(Source source) {
    return lines.stream()
        .filter(line -> line.source == source)
        .map(line -> line.text + "\n")
        .collect(Collectors.joining());
  }

  /** Waits for the end of the program, and of its output. */
  public Result await() {
    return await(PATIENCE);
  }

  /** Waits for the end of the program, and of its output, for longer than most deserve. */
  public Result await(Duration patience) {
    try {
      if (!process.waitFor(patience.toMillis(), TimeUnit.MILLISECONDS)) {
        throw new HarnessException(name + " does not end\n" + said());
      }
      for (Thread reader : readers) {
        // A child in the background may hold the stream: what it says is not waited for.
        reader.join(GRACE);
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new HarnessException("interrupted while waiting for " + name, e);
    }
    return new Result(process.exitValue(), said(Source.OUT), said(Source.ERR));
  }

  /** Whether the program still runs. */
  public boolean isAlive() {
    return process.isAlive();
  }

  /** Where the program reads. Closing it is the caller's. */
  public OutputStream stdin() {
    return process.getOutputStream();
  }

  /** Ends the program's input. */
  public void closeStdin() {
    try {
      process.getOutputStream().close();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** The program's own process, as this JVM sees it. */
  public ProcessHandle handle() {
    if (!forks) {
      return process.toHandle();
    }
    long deadline = System.nanoTime() + PATIENCE.toNanos();
    while (System.nanoTime() < deadline) {
      Optional<ProcessHandle> child = process.children().findFirst();
      if (child.isPresent()) {
        return child.get();
      }
      if (!process.isAlive()) {
        break;
      }
      Thread.onSpinWait();
    }
    throw new HarnessException(name + " has ended\n" + said());
  }

  /** The program's own process, if there is one still. */
  Optional<ProcessHandle> handleIfAlive() {
    return forks
        ? process.children().findFirst()
        : Optional.of(process.toHandle()).filter(ProcessHandle::isAlive);
  }

  /**
   * Sends a signal to the program itself.
   *
   * @param signal its name without SIG
   */
  public void signal(String signal) {
    signal(handle(), signal);
  }

  /** Sends a signal to any process. */
  public static void signal(ProcessHandle process, String signal) {
    try {
      // The shell's own kill: the program is in a package that a small system lacks.
      int status =
          new ProcessBuilder("sh", "-c", "kill -" + signal + " " + process.pid()).start().waitFor();
      if (status != 0 && process.isAlive()) {
        throw new HarnessException("kill -" + signal + " " + process.pid() + " failed");
      }
    } catch (IOException e) {
      throw new HarnessException("cannot run kill", e);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new HarnessException("interrupted", e);
    }
  }

  /** Ends the program, gently first, and whatever it started and did not end. */
  @Override
  public void close() {
    List<ProcessHandle> family = process.descendants().toList();
    if (process.isAlive()) {
      List<ProcessHandle> children = forks ? process.children().toList() : List.of();
      children.forEach(ProcessHandle::destroy);
      if (children.isEmpty()) {
        process.destroy();
      }
      try {
        process.waitFor(GRACE.toMillis(), TimeUnit.MILLISECONDS);
      } catch (InterruptedException e) {
        Thread.currentThread().interrupt();
      }
    }
    family.forEach(ProcessHandle::destroyForcibly);
    process.destroyForcibly();
  }
}
