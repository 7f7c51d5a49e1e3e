package org.tpforward.agent.telepathy;

import java.nio.charset.StandardCharsets;

/** File names that strangers choose. */
public final class SafeName {
  /** Bytes; leaves room for what is appended, within the 255 that file systems take. */
  static final int MAX_BYTES = 200;

  private SafeName() {}

  /**
   * A name for a new file in a directory: no part of a path, nothing that a terminal would take for
   * a command or show in another order, not hidden, not empty, no white space at its ends.
   */
  public static String of(String offered) {
    String last =
        offered.substring(Math.max(offered.lastIndexOf('/'), offered.lastIndexOf('\\')) + 1);
    StringBuilder name = new StringBuilder();
    last.codePoints()
        .forEach(c -> {
          switch (Character.getType(c)) {
            case Character.CONTROL,
                Character.FORMAT,
                Character.SURROGATE,
                Character.PRIVATE_USE,
                Character.UNASSIGNED,
                Character.LINE_SEPARATOR,
                Character.PARAGRAPH_SEPARATOR ->
                name.append('_');
            default -> name.appendCodePoint(c);
          }
        });
    String safe = name.toString().strip();
    if (safe.startsWith(".") || safe.startsWith("-") || safe.startsWith("~")) {
      safe = "_" + safe.substring(1);
    }
    safe = cut(safe).strip();
    return safe.isEmpty() ? "file" : safe;
  }

  /** Cuts the stem and keeps the extension, unless that is the long part. */
  private static String cut(String name) {
    if (bytes(name) <= MAX_BYTES) {
      return name;
    }
    int dot = name.lastIndexOf('.');
    String extension = dot > 0 && bytes(name.substring(dot)) <= 20 ? name.substring(dot) : "";
    int room = MAX_BYTES - bytes(extension);
    int end = 0;
    int used = 0;
    while (true) {
      int c = name.codePointAt(end);
      used += bytes(Character.toString(c));
      if (used > room) {
        return name.substring(0, end) + extension;
      }
      end += Character.charCount(c);
    }
  }

  /** The n-th name for a file of that name: {@code report.pdf}, {@code report (1).pdf}, …. */
  static String numbered(String name, int n) {
    if (n == 0) {
      return name;
    }
    int dot = name.lastIndexOf('.');
    return dot <= 0
        ? name + " (" + n + ")"
        : name.substring(0, dot) + " (" + n + ")" + name.substring(dot);
  }

  private static int bytes(String text) {
    return text.getBytes(StandardCharsets.UTF_8).length;
  }
}
