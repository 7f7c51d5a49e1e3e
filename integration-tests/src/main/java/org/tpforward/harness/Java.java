package org.tpforward.harness;

import java.util.ArrayList;
import java.util.List;

/** Command lines of this module's own Java programs. */
public final class Java {
  private Java() {}

  /**
   * The command line that runs a class at a place.
   *
   * @param main its binary name
   */
  public static List<String> command(Place place, String main, String... arguments) {
    List<String> command =
        new ArrayList<>(
            List.of(
                place.javaHome() + "/bin/java",
                "-XX:+UseSerialGC",
                "-XX:-UsePerfData",
                "-XX:TieredStopAtLevel=1",
                "--enable-native-access=ALL-UNNAMED",
                "-cp",
                Installation.classPath(place.program()),
                main));
    command.addAll(List.of(arguments));
    return command;
  }
}
