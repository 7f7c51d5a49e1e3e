package org.tpforward.ssh;

/** Text of the peer's, fit for a message of ours. */
final class OneLine {
  private OneLine() {}

  /** Control characters become spaces, and what is longer than {@code longest} is cut. */
  static String of(String text, int longest) {
    String cut = text.length() > longest ? text.substring(0, longest) + "…" : text;
    return cut.replaceAll("\\p{Cntrl}+", " ").strip();
  }
}
