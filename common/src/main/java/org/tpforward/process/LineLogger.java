package org.tpforward.process;

import java.io.PrintStream;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.time.LocalDateTime;
import java.time.format.DateTimeFormatter;
import org.jspecify.annotations.Nullable;
import org.slf4j.Marker;
import org.slf4j.event.Level;
import org.slf4j.helpers.LegacyAbstractLogger;
import org.slf4j.helpers.MessageFormatter;

/** Writes lines to what is standard error at that moment. Safe for threads. */
final class LineLogger extends LegacyAbstractLogger {
  private static final long serialVersionUID = 1L;
  private static final String OWN = "org.tpforward.";

  private final boolean own;

  LineLogger(String name) {
    this.name = name;
    this.own = name.startsWith(OWN);
  }

  /** Loaded with the first line. */
  private static final class Time {
    private static final DateTimeFormatter FORMAT =
        DateTimeFormatter.ofPattern("yyyy-MM-dd HH:mm:ss");

    static String now() {
      return FORMAT.format(LocalDateTime.now(java.time.ZoneId.systemDefault()));
    }
  }

  @Override
  protected void handleNormalizedLoggingCall(
      Level level,
      @Nullable Marker marker,
      @Nullable String pattern,
      Object @Nullable [] arguments,
      @Nullable Throwable thrown) {
    StringWriter text = new StringWriter();
    text.append(Time.now()).append(' ').append(level.toString()).append(' ');
    if (Logging.showsNames()) {
      text.append(name).append(" - ");
    }
    text.append(MessageFormatter.basicArrayFormat(pattern, arguments));
    text.append(System.lineSeparator());
    if (thrown != null) {
      thrown.printStackTrace(new PrintWriter(text));
    }
    PrintStream out = System.err;
    // In one piece: threads log at the same time.
    out.print(text);
    out.flush();
  }

  @Override
  protected @Nullable String getFullyQualifiedCallerName() {
    return null;
  }

  @Override
  public boolean isTraceEnabled() {
    return Logging.isEnabled(own, Level.TRACE);
  }

  @Override
  public boolean isDebugEnabled() {
    return Logging.isEnabled(own, Level.DEBUG);
  }

  @Override
  public boolean isInfoEnabled() {
    return Logging.isEnabled(own, Level.INFO);
  }

  @Override
  public boolean isWarnEnabled() {
    return Logging.isEnabled(own, Level.WARN);
  }

  @Override
  public boolean isErrorEnabled() {
    return Logging.isEnabled(own, Level.ERROR);
  }
}
