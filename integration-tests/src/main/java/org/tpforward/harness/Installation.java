package org.tpforward.harness;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.List;
import java.util.Set;
import java.util.stream.Stream;

/**
 * The built program. Sides get a copy: the checkout may lie where another user cannot read, or
 * under a directory that a side hides.
 */
final class Installation {
  /** What a jar depends on in the eyes of bin/lib.sh comes before it: the copy must be older. */
  private static final List<String> PARTS =
      List.of(
          "proxy-server/src/main/container",
          "bin/lib.sh",
          "bin/tpforward",
          "bin/image",
          "proxy-client/target/tpforward-client.jar",
          "proxy-client/target/lib",
          "bin/tpforward-server",
          "proxy-server/target/tpforward-server.jar",
          "proxy-server/target/lib",
          "integration-tests/target/tpforward-integration-tests.jar",
          "integration-tests/target/lib");

  private Installation() {}

  /**
   * The checkout: the property tpforward.root, or the nearest directory above that looks like it.
   */
  static Path checkout() {
    String property = System.getProperty("tpforward.root");
    Path directory = Path.of(property != null ? property : "").toAbsolutePath();
    for (Path at = directory; at != null; at = at.getParent()) {
      if (Files.exists(at.resolve("bin/tpforward"))) {
        return at;
      }
    }
    throw new HarnessException("no checkout of tpforward at or above " + directory);
  }

  /** The class path of this module's programs, beneath an installation. */
  static String classPath(String program) {
    String target = program + "/integration-tests/target/";
    return target + "tpforward-integration-tests.jar:" + target + "lib/*";
  }

  static void copy(Path target) {
    Path checkout = checkout();
    for (String part : PARTS) {
      Path source = checkout.resolve(part);
      if (!Files.exists(source)) {
        throw new HarnessException(source + " is missing: mvn package builds it");
      }
      try (Stream<Path> files = Files.walk(source)) {
        for (Path file : (Iterable<Path>) files::iterator) {
          copyFile(file, target.resolve(checkout.relativize(file).toString()));
        }
      } catch (IOException e) {
        throw new HarnessException("cannot copy " + source, e);
      }
    }
  }

  private static void copyFile(Path from, Path to) throws IOException {
    createDirectories(to.getParent());
    if (Files.isDirectory(from)) {
      createDirectories(to);
      return;
    }
    Files.copy(from, to);
    readable(to, Files.isExecutable(from));
  }

  private static void createDirectories(@org.jspecify.annotations.Nullable Path directory)
      throws IOException {
    if (directory != null && !Files.exists(directory)) {
      createDirectories(directory.getParent());
      Files.createDirectory(directory);
      readable(directory, true);
    }
  }

  private static void readable(Path path, boolean executable) throws IOException {
    Set<java.nio.file.attribute.PosixFilePermission> mode =
        PosixFilePermissions.fromString(executable ? "rwxr-xr-x" : "rw-r--r--");
    Files.setPosixFilePermissions(path, mode);
  }
}
