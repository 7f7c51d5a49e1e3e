package org.tpforward.agent.link;

import java.io.ByteArrayOutputStream;
import java.io.Closeable;
import java.io.FileInputStream;
import java.io.FileOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import org.jspecify.annotations.Nullable;

/** A terminal device, opened for one question. */
public final class Terminal implements Closeable {
  private static final int LONGEST_ANSWER = 4096;

  private final Path device;
  private final InputStream in;
  private final OutputStream out;

  private Terminal(Path device, InputStream in, OutputStream out) {
    this.device = device;
    this.in = in;
    this.out = out;
  }

  /**
   * Opens a device such as /dev/tty.
   *
   * @return the caller closes it
   */
  public static Terminal open(Path device) throws IOException {
    InputStream in = new FileInputStream(device.toFile());
    try {
      return new Terminal(device, in, new FileOutputStream(device.toFile()));
    } catch (IOException e) {
      in.close();
      throw e;
    }
  }

  /** Whether the device can be opened: /dev/tty exists also for those who have no terminal. */
  static boolean isThere(Path device) {
    try (Terminal terminal = open(device)) {
      return terminal.in.available() >= 0;
    } catch (IOException e) {
      return false;
    }
  }

  /**
   * Writes a prompt and reads a line, of which at most 4096 bytes count; blocks until there is one.
   *
   * @param echo whether what is typed may be seen
   * @return null at the end of input
   */
  public @Nullable String ask(String prompt, boolean echo) throws IOException {
    if (echo) {
      write(prompt);
      return line(in, LONGEST_ANSWER);
    }
    Thread restore = new Thread(() -> stty("echo"));
    Runtime.getRuntime().addShutdownHook(restore);
    stty("-echo");
    try {
      write(prompt);
      return line(in, LONGEST_ANSWER);
    } finally {
      stty("echo");
      write("\n");
      try {
        Runtime.getRuntime().removeShutdownHook(restore);
      } catch (IllegalStateException e) {
        // The hook runs already.
      }
    }
  }

  private void write(String text) throws IOException {
    out.write(text.getBytes(StandardCharsets.UTF_8));
    out.flush();
  }

  private void stty(String setting) {
    try {
      Process process =
          new ProcessBuilder("stty", setting)
              .redirectInput(device.toFile())
              .redirectOutput(ProcessBuilder.Redirect.DISCARD)
              .redirectError(ProcessBuilder.Redirect.DISCARD)
              .start();
      process.waitFor();
    } catch (IOException e) {
      // Without stty the answer is seen while it is typed; better than no answer.
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  /** Reads up to a line feed; null if the stream ends before a byte. Reads not one byte more. */
  static @Nullable String line(InputStream in, int longest) throws IOException {
    ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    int b = in.read();
    if (b < 0) {
      return null;
    }
    while (b >= 0 && b != '\n') {
      if (bytes.size() < longest) {
        bytes.write(b);
      }
      b = in.read();
    }
    String line = bytes.toString(StandardCharsets.UTF_8);
    return line.endsWith("\r") ? line.substring(0, line.length() - 1) : line;
  }

  @Override
  public void close() throws IOException {
    try (in) {
      out.close();
    }
  }
}
