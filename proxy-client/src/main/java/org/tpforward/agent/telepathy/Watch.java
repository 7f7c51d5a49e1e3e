package org.tpforward.agent.telepathy;

import org.tpforward.dbus.Signal;

/**
 * Who is told about one object of a connection manager. Called by several threads; never blocks.
 */
interface Watch {
  /** A signal of that object. */
  void on(Signal signal);

  /** Nothing more will come: the connection, its manager or the bus is gone. May come twice. */
  void lost(String why);
}
