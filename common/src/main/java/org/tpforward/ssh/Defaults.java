package org.tpforward.ssh;

import java.time.Duration;
import org.apache.sshd.common.helpers.AbstractFactoryManager;
import org.apache.sshd.core.CoreModuleProperties;

/** What clients and servers set alike, as MINA's own defaults are for something else. */
final class Defaults {
  /** Fewer and larger packets cost less; MINA takes none above 256 KiB. */
  private static final long PACKET = 128 << 10;

  private static final Duration FOR_EVER = Duration.ofDays(365);

  private Defaults() {}

  static void apply(AbstractFactoryManager manager) {
    manager.setReservedSessionMessagesHandler(DebugMessages.collector());
    CoreModuleProperties.IDLE_TIMEOUT.set(manager, Duration.ZERO);
    CoreModuleProperties.WAIT_FOR_SPACE_TIMEOUT.set(manager, FOR_EVER);
    // A CLOSE that waits behind other packets is not lost.
    CoreModuleProperties.CHANNEL_CLOSE_TIMEOUT.set(manager, Duration.ofMinutes(5));
    CoreModuleProperties.MAX_PACKET_SIZE.set(manager, PACKET);
  }
}
