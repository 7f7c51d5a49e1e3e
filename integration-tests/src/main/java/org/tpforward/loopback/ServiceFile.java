package org.tpforward.loopback;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;

/** The file by which a bus starts the CM when somebody calls it. */
final class ServiceFile {
  private ServiceFile() {}

  /**
   * Writes it.
   *
   * @param directory a servicedir of the bus; made if it is missing
   * @param command what starts the CM: an absolute path and arguments, by the rules of Exec in a
   *     D-Bus service file
   */
  static void write(Path directory, String command) throws IOException {
    if (!command.startsWith("/") || command.indexOf('\n') >= 0) {
      throw new IOException("a command for a bus begins with an absolute path: " + command);
    }
    Files.createDirectories(directory);
    Files.writeString(
        directory.resolve(Names.CM_NAME + ".service"),
        """
        [D-BUS Service]
        Name=%s
        Exec=%s
        """
            .formatted(Names.CM_NAME, command));
  }
}
