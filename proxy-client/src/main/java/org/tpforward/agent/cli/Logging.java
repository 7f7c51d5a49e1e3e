package org.tpforward.agent.cli;

/** Sets slf4j-simple up, which reads its settings when the first logger is made. */
final class Logging {
  private static final String PREFIX = "org.slf4j.simpleLogger.";

  private Logging() {}

  /**
   * @param verbosity how often the user said -v
   */
  static void configure(int verbosity) {
    // Our own messages; what the libraries tell is for developers, one -v later.
    set("defaultLogLevel", verbosity >= 2 ? "info" : "warn");
    set("log.org.tpforward", verbosity >= 2 ? "debug" : verbosity == 1 ? "info" : "warn");
    if (verbosity >= 3) {
      set("defaultLogLevel", "debug");
    }
    set("showThreadName", "false");
    set("showLogName", verbosity >= 2 ? "true" : "false");
    set("showDateTime", "true");
    set("dateTimeFormat", "yyyy-MM-dd HH:mm:ss");
  }

  /** What is set on the JVM's command line comes first. */
  private static void set(String name, String value) {
    if (System.getProperty(PREFIX + name) == null) {
      System.setProperty(PREFIX + name, value);
    }
  }
}
