package org.tpforward.loopback;

import static org.tpforward.loopback.Misbehaviour.INTERFACE;

import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Tells tests who was let in at a channel's socket and who was not: {@code Admitted(o)} and {@code
 * Refused(o channel, s why)} of {@code org.tpforward.Loopback.Test}, on the CM's object.
 * Thread-safe.
 */
record Door(Bus bus) {
  private static final Logger LOG = LoggerFactory.getLogger(Door.class);

  static void addTo(BusObject object) {
    object.signal(INTERFACE, "Admitted", "o");
    object.signal(INTERFACE, "Refused", "os");
  }

  void admitted(String channel) {
    bus.emit(Names.CM_PATH, INTERFACE, "Admitted", "o", Values.o(channel));
  }

  void refused(String channel, String why) {
    LOG.info("disconnected somebody: {}", why);
    bus.emit(Names.CM_PATH, INTERFACE, "Refused", "os", Values.o(channel), why);
  }
}
