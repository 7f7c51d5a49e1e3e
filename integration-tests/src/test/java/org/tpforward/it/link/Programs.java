package org.tpforward.it.link;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;

/** Runs other programs to their end. */
final class Programs {
  private Programs() {}

  /** The program's output; an exception if it is not installed or fails. */
  static String run(String... command) throws IOException, InterruptedException {
    Process process =
        new ProcessBuilder(command)
            .redirectErrorStream(true)
            .redirectInput(ProcessBuilder.Redirect.from(new java.io.File("/dev/null")))
            .start();
    String output = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
    if (process.waitFor() != 0) {
      throw new IOException(List.of(command) + " failed: " + output);
    }
    return output;
  }

  /** A key pair without a passphrase. */
  static Path key(Path file, String type) throws IOException, InterruptedException {
    return key(file, type, "");
  }

  static Path key(Path file, String type, String passphrase)
      throws IOException, InterruptedException {
    run("ssh-keygen", "-q", "-t", type, "-N", passphrase, "-C", "test", "-f", file.toString());
    return file;
  }

  /** The public half, one line. */
  static String publicKey(Path file) throws IOException {
    return Files.readString(Path.of(file + ".pub")).strip();
  }

  /** Type and key without the comment, as in known_hosts. */
  static String typeAndKey(Path file) throws IOException {
    String[] fields = publicKey(file).split(" ", -1);
    return fields[0] + " " + fields[1];
  }

  static Path script(Path file, String... lines) throws IOException {
    Files.writeString(file, "#!/bin/sh\n" + String.join("\n", lines) + "\n");
    if (!file.toFile().setExecutable(true)) {
      throw new IOException("cannot make " + file + " executable");
    }
    return file;
  }
}
