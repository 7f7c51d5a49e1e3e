package org.tpforward.agent.cli;

import java.util.List;

/** Columns for a terminal, two blanks between them. */
final class Table {
  private Table() {}

  /**
   * Lines of aligned cells, each ended by LF.
   *
   * @param rows of the same length
   */
  static String of(List<List<String>> rows) {
    StringBuilder out = new StringBuilder();
    int columns = rows.isEmpty() ? 0 : rows.getFirst().size();
    int[] widths = new int[columns];
    for (List<String> row : rows) {
      for (int i = 0; i < columns; i++) {
        widths[i] = Math.max(widths[i], row.get(i).length());
      }
    }
    for (List<String> row : rows) {
      StringBuilder line = new StringBuilder();
      for (int i = 0; i < columns; i++) {
        line.append(row.get(i)).repeat(' ', widths[i] - row.get(i).length() + 2);
      }
      out.append(line.toString().stripTrailing()).append('\n');
    }
    return out.toString();
  }
}
