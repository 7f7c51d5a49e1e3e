package org.tpforward.server.cli;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.tpforward.server.ServerException;

/**
 * A configuration file: one option a line, as on the command line but without its dashes, a blank
 * and the value, to the end of the line. Lines that begin with {@code #} are comments.
 */
final class ConfigFile {
  private static final int MOST_LINES = 10_000;

  private ConfigFile() {}

  /**
   * Its options, as arguments.
   *
   * @throws ServerException if it cannot be read
   */
  static List<String> read(Path file) throws ServerException {
    List<String> arguments = new ArrayList<>();
    try {
      int number = 0;
      for (String text : Files.readAllLines(file)) {
        String line = text.strip();
        number++;
        if (line.isEmpty() || line.startsWith("#")) {
          continue;
        }
        String[] words = line.split("\\s+", 2);
        if (!words[0].matches("[a-z][a-z-]*") || words[0].equals("config") || words.length < 2) {
          throw new ServerException(
              file + ", line " + number + ": not an option and its value: " + words[0]);
        }
        if (arguments.size() == MOST_LINES) {
          throw new ServerException(file + " is too long for a configuration");
        }
        arguments.add("--" + words[0] + "=" + words[1]);
      }
    } catch (IOException e) {
      throw new ServerException("the configuration " + file + " cannot be read: " + e, e);
    }
    return arguments;
  }
}
