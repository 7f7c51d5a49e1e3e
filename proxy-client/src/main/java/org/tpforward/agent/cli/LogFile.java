package org.tpforward.agent.cli;

import java.io.FileDescriptor;
import java.io.FileOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;

/**
 * Standard error into a file, and what the JVM itself and child processes write there too. The
 * runtime directory may be memory: a file that is full becomes {@code log.1}, and an older one of
 * that name goes.
 */
final class LogFile extends OutputStream {
  static final int STDERR = 2;

  private static final long MAX_BYTES = 1 << 20;

  private final OutputStream stderr = new FileOutputStream(FileDescriptor.err);
  private final Path path;
  private final long max;
  private long written;

  LogFile(Path path) throws IOException {
    this(path, MAX_BYTES);
  }

  LogFile(Path path, long max) throws IOException {
    this.path = path;
    this.max = max;
    Posix.redirect(STDERR, path, true);
  }

  @Override
  public synchronized void write(int b) throws IOException {
    write(new byte[] {(byte) b}, 0, 1);
  }

  @Override
  public synchronized void write(byte[] bytes, int from, int length) throws IOException {
    if (written + length > max && Files.exists(path)) {
      Files.move(
          path,
          path.resolveSibling(path.getFileName() + ".1"),
          StandardCopyOption.REPLACE_EXISTING);
      Posix.redirect(STDERR, path, true);
      written = 0;
    }
    stderr.write(bytes, from, length);
    written += length;
  }
}
