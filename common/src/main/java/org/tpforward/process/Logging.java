package org.tpforward.process;

/** Sets slf4j-simple up, which reads its settings when the first logger is made. */
public final class Logging {
  private static final String PREFIX = "org.slf4j.simpleLogger.";

  private Logging() {}

  /**
   * To be called before any logger is made.
   *
   * @param verbosity how often the user said -v
   * @param libraries the verbosity of what is not this program's own; below 0 for errors only
   */
  public static void configure(int verbosity, int libraries) {
    set("defaultLogLevel", level(libraries));
    set("log.org.tpforward", level(verbosity));
    set("showThreadName", "false");
    set("showLogName", verbosity >= 2 ? "true" : "false");
    set("showDateTime", "true");
    set("dateTimeFormat", "yyyy-MM-dd HH:mm:ss");
  }

  private static String level(int verbosity) {
    return switch (verbosity) {
      case -1 -> "error";
      case 0 -> "warn";
      case 1 -> "info";
      default -> "debug";
    };
  }

  /** What is set on the JVM's command line comes first. */
  private static void set(String name, String value) {
    if (System.getProperty(PREFIX + name) == null) {
      System.setProperty(PREFIX + name, value);
    }
  }
}
