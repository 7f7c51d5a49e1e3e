package org.tpforward.agent.cli;

import java.io.PrintStream;
import java.util.LinkedHashSet;
import java.util.Set;
import org.tpforward.agent.telepathy.Progress;

/**
 * Shows transfers: on a terminal as one line that is drawn again and again, the sum of all that are
 * under way; elsewhere as a line for each tenth of each. For any number of threads.
 */
final class ProgressDisplay implements Progress, AutoCloseable {
  /** Often enough to look alive. */
  private static final long REDRAW_NANOS = 100_000_000;

  private static final Meter NONE =
      new Meter() {
        @Override
        public void at(long position) {}

        @Override
        public void close() {}
      };

  private static final String CLEAR = "\r\033[K";

  private final PrintStream out;
  private final boolean terminal;
  private final Set<Bar> bars = new LinkedHashSet<>(); // guarded by this
  private boolean drawn; // guarded by this
  private long lastDrawn; // guarded by this

  ProgressDisplay(PrintStream out, boolean terminal) {
    this.out = out;
    this.terminal = terminal;
  }

  /** For standard output, whatever that is. */
  static ProgressDisplay onStandardOutput() {
    return new ProgressDisplay(System.out, Terminal.isTerminal(Terminal.STDOUT));
  }

  @Override
  public synchronized Meter begin(String label, long size, long offset) {
    Bar bar = new Bar(this, new Rate(Messages.printable(label), size, offset, System.nanoTime()));
    bars.add(bar);
    if (!terminal) {
      out.println(bar.rate.line(System.nanoTime()));
    }
    draw(true);
    return bar;
  }

  @Override
  public synchronized Meter prepare(String label, long size) {
    return terminal ? begin(label, size, 0) : NONE;
  }

  /** Prints a line of its own above the bar. */
  @Override
  public synchronized void line(String text) {
    clear();
    out.println(Messages.printable(text));
    draw(true);
  }

  /** Takes the bar off the terminal, for somebody else's line. */
  synchronized void clear() {
    if (drawn) {
      out.print(CLEAR);
      out.flush();
      drawn = false;
    }
  }

  private synchronized void moved(Bar bar, long position) {
    int tenth = bar.rate.tenth();
    bar.rate.at(position);
    if (terminal) {
      draw(false);
    } else if (bar.rate.tenth() > tenth) {
      out.println(bar.rate.line(System.nanoTime()));
    }
  }

  private void draw(boolean now) {
    long nanos = System.nanoTime();
    if (!terminal || bars.isEmpty() || (!now && nanos - lastDrawn < REDRAW_NANOS)) {
      return;
    }
    lastDrawn = nanos;
    Rate shown = Rate.sum(bars.stream().map(bar -> bar.rate).toList());
    out.print("\r" + shown.bar(nanos, Terminal.columns(Terminal.STDOUT) - 1) + "\033[K");
    out.flush();
    drawn = true;
  }

  private synchronized void ended(Bar bar) {
    if (bars.remove(bar)) {
      clear();
      draw(true);
    }
  }

  @Override
  public synchronized void close() {
    clear();
  }

  private record Bar(ProgressDisplay display, Rate rate) implements Meter {
    @Override
    public void at(long position) {
      display.moved(this, position);
    }

    @Override
    public void close() {
      display.ended(this);
    }

    @Override
    public boolean equals(Object other) {
      return this == other;
    }

    @Override
    public int hashCode() {
      return System.identityHashCode(this);
    }
  }
}
