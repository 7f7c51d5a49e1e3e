package org.tpforward.socket;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;

/** What the kernel puts where it has no uid to tell (proc_sys_kernel(5), overflowuid). */
final class OverflowUid {
  static final long VALUE = read();

  private OverflowUid() {}

  private static long read() {
    try {
      return Long.parseLong(Files.readString(Path.of("/proc/sys/kernel/overflowuid")).strip());
    } catch (IOException | NumberFormatException e) {
      return 65534; // the kernel's default
    }
  }
}
