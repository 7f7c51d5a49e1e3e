package org.tpforward.socket;

import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;

/** What the kernel puts where it has no uid to tell (proc_sys_kernel(5), overflowuid). */
final class OverflowUid {
  static final long VALUE = read();

  private OverflowUid() {}

  private static long read() {
    try (InputStream in = Files.newInputStream(Path.of("/proc/sys/kernel/overflowuid"))) {
      // In one read: a second one that goes on where the first ended gets nothing from a sysctl.
      byte[] text = new byte[32];
      int length = Math.max(0, in.read(text));
      return Long.parseLong(new String(text, 0, length, StandardCharsets.US_ASCII).strip());
    } catch (IOException | NumberFormatException e) {
      return 65534; // the kernel's default
    }
  }
}
