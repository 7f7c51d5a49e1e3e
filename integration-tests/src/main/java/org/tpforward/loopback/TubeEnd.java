package org.tpforward.loopback;

import org.freedesktop.dbus.types.Variant;

/**
 * One end of a stream tube on the bus, whichever channel type shows it. Called from any thread, for
 * one event after another.
 */
interface TubeEnd {
  /** The handle of the account whose end it is. */
  long contact();

  /** What {@link Door} calls this end: its channel's path. */
  String channelPath();

  void setState(TubeState state);

  /**
   * Tells the offering side that the CM has connected to its socket.
   *
   * @param contact who is behind it
   * @param parameter the byte under Credentials, the address under Port
   */
  void newRemoteConnection(long contact, Variant<?> parameter, long id);

  /** Tells the accepting side that its client was let in. */
  void newLocalConnection(long id);

  void connectionClosed(long id, String errorName, String text);
}
