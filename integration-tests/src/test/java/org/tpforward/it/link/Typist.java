package org.tpforward.it.link;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/**
 * A user at a terminal: a pseudo-terminal held by python3, whose other end types one line at each
 * question and writes down what is shown.
 */
final class Typist implements AutoCloseable {
  private static final String PROGRAM =
      """
      import os, pty, sys
      master, slave = pty.openpty()
      print(os.ttyname(slave), flush=True)
      seen = b''
      for line in sys.argv[2:]:
          while not seen.rstrip(b' ').endswith((b'?', b':')):
              seen += os.read(master, 4096)
          open(sys.argv[1], 'ab').write(seen)
          seen = b''
          os.write(master, line.encode() + b'\\n')
      while True:
          open(sys.argv[1], 'ab').write(os.read(master, 4096))
      """;

  private final Process process;
  private final Path terminal;
  private final Path screen;

  private Typist(Process process, Path terminal, Path screen) {
    this.process = process;
    this.terminal = terminal;
    this.screen = screen;
  }

  static Typist start(Path directory, String... lines) throws IOException {
    Path screen = directory.resolve("screen");
    List<String> command = new ArrayList<>(List.of("python3", "-c", PROGRAM, screen.toString()));
    command.addAll(List.of(lines));
    Process process = new ProcessBuilder(command).start();
    String name = process.inputReader().readLine();
    if (name == null) {
      throw new IOException("python3 opened no pseudo-terminal");
    }
    return new Typist(process, Path.of(name), screen);
  }

  Path terminal() {
    return terminal;
  }

  /** What has been shown up to the last question. */
  String screen() throws IOException {
    return Files.readString(screen);
  }

  @Override
  public void close() {
    process.destroy();
    process.onExit().join();
  }
}
