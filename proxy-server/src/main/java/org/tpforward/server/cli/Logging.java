package org.tpforward.server.cli;

/** Sets slf4j-simple up, which reads its settings when the first logger is made. */
final class Logging {
  private static final String PREFIX = "org.slf4j.simpleLogger.";

  private Logging() {}

  /**
   * @param verbosity how often the operator said -v
   */
  static void configure(int verbosity) {
    // What MINA says of each session is in the audit, in this program's words.
    set("defaultLogLevel", verbosity >= 2 ? "info" : "error");
    set("log.org.tpforward", level(verbosity));
    set("showThreadName", "false");
    set("showLogName", verbosity >= 2 ? "true" : "false");
    set("showDateTime", "true");
    set("dateTimeFormat", "yyyy-MM-dd HH:mm:ss");
  }

  private static String level(int verbosity) {
    return switch (verbosity) {
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
