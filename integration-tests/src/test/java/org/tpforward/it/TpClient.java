package org.tpforward.it;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;
import org.tpforward.harness.HarnessException;
import org.tpforward.harness.Login;
import org.tpforward.harness.Place;
import org.tpforward.harness.Proc;

/** src/test/c: a client on telepathy-glib's own classes, built on first use and put on a side. */
final class TpClient {
  private static final String PROGRAM = "/tpclient";

  private TpClient() {}

  /** Builds the program and puts it where every user of the place can run it. */
  static void install(Place place) {
    try {
      Path target = place.path(place.scratch() + PROGRAM);
      Files.copy(Built.PROGRAM, target);
      Files.setPosixFilePermissions(target, Files.getPosixFilePermissions(Built.PROGRAM));
      place.admin().run("chmod", "755", place.scratch() + PROGRAM).ok();
    } catch (IOException e) {
      throw new HarnessException("cannot install tpclient", e);
    }
  }

  /** Starts it for a user on a bus. */
  static Proc start(Login login, String... arguments) {
    return login.start(
        Stream.concat(Stream.of(login.place().scratch() + PROGRAM), Stream.of(arguments)).toList());
  }

  private static final class Built {
    static final Path PROGRAM = build();

    private static Path build() {
      Path source = Path.of("src/test/c");
      Path program = Path.of("target/tpclient").toAbsolutePath();
      List<String> command =
          new ArrayList<>(
              List.of(
                  "sh",
                  "-c",
                  "cc -std=gnu11 -g -O1 -Wall -Wextra -Werror -Wno-deprecated-declarations -o"
                      + " \"$1\" \"$2\"/*.c $(pkg-config --cflags --libs telepathy-glib dbus-glib-1"
                      + " gio-unix-2.0 dbus-1)",
                  "build",
                  program.toString(),
                  source.toString()));
      try {
        Process compiler = new ProcessBuilder(command).redirectErrorStream(true).start();
        String said =
            new String(
                compiler.getInputStream().readAllBytes(), java.nio.charset.StandardCharsets.UTF_8);
        if (compiler.waitFor() != 0) {
          throw new HarnessException(
              "tpclient does not build; it needs gcc, pkg-config and libtelepathy-glib-dev\n"
                  + said);
        }
        return program;
      } catch (IOException e) {
        throw new HarnessException("cannot run a compiler: install gcc", e);
      } catch (InterruptedException e) {
        Thread.currentThread().interrupt();
        throw new HarnessException("interrupted", e);
      }
    }
  }
}
