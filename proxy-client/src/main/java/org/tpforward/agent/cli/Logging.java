package org.tpforward.agent.cli;

/** Sets slf4j-simple up, which reads its settings when the first logger is made. */
final class Logging {
  private static final String PREFIX = "org.slf4j.simpleLogger.";

  private Logging() {}

  /**
   * @param verbosity how often the user said -v
   */
  static void configure(int verbosity) {
    // What a library warns of, this program tells in its own words, or not at all.
    set("defaultLogLevel", level(verbosity - 1));
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
