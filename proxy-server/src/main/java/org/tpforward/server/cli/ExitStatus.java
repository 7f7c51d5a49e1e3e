package org.tpforward.server.cli;

import java.util.LinkedHashMap;
import java.util.Map;

/** How the program ends. */
enum ExitStatus {
  OK(0, "ended by a signal, or checked and found good"),
  USAGE(2, "the command line or the configuration file is wrong"),
  CANNOT_START(3, "it cannot start: the message says why");

  private final int status;
  private final String meaning;

  ExitStatus(int status, String meaning) {
    this.status = status;
    this.meaning = meaning;
  }

  int status() {
    return status;
  }

  static Map<String, String> list() {
    Map<String, String> list = new LinkedHashMap<>();
    for (ExitStatus one : values()) {
      list.put(Integer.toString(one.status), one.meaning);
    }
    return list;
  }
}
