package org.tpforward.process;

import org.slf4j.event.Level;

/** How much this process says on standard error: warnings, and errors of libraries. */
public final class Logging {
  private static volatile Level own = Level.WARN;
  private static volatile Level libraries = Level.ERROR;
  private static volatile boolean names;

  private Logging() {}

  /**
   * May be called at any time; loggers heed it from then on.
   *
   * @param verbosity how often the user said -v
   * @param verbosityOfLibraries that of what is not this program's own; below 0 for errors only
   */
  public static void configure(int verbosity, int verbosityOfLibraries) {
    own = level(verbosity);
    libraries = level(verbosityOfLibraries);
    names = verbosity >= 2;
  }

  private static Level level(int verbosity) {
    return switch (verbosity) {
      case -1 -> Level.ERROR;
      case 0 -> Level.WARN;
      case 1 -> Level.INFO;
      default -> Level.DEBUG;
    };
  }

  static boolean isEnabled(boolean ownLogger, Level level) {
    return level.toInt() >= (ownLogger ? own : libraries).toInt();
  }

  /** Whether a line says which logger it is from. */
  static boolean showsNames() {
    return names;
  }
}
