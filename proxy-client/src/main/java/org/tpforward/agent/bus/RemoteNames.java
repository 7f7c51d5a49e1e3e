package org.tpforward.agent.bus;

import java.io.IOException;
import org.jspecify.annotations.Nullable;
import org.tpforward.agent.forward.ChannelKey;
import org.tpforward.dbus.DBusErrorException;
import org.tpforward.dbus.Value;

/** What the agent asks the remote bus while it holds one client's message. All calls block. */
interface RemoteNames {
  /**
   * The unique name that owns {@code name}, or null where nobody does; a unique name owns itself.
   *
   * @throws IOException if the bus is lost or does not answer in time
   */
  @Nullable String ownerOf(String name) throws IOException;

  /** Whether a client of this agent has that unique name: then it is on the desktop already. */
  boolean isOurs(String uniqueName);

  /**
   * All properties of one interface of a channel, as the CM tells them to the agent.
   *
   * @throws DBusErrorException if the CM answers with an error
   * @throws IOException if the bus is lost or the CM does not answer in time
   */
  Value.Dict properties(ChannelKey channel, String interfaceName)
      throws DBusErrorException, IOException;

  /**
   * Calls a method of a channel that takes nothing.
   *
   * @return the first value of the reply
   * @throws DBusErrorException if the CM answers with an error
   * @throws IOException if the bus is lost or the CM does not answer in time
   */
  Value ask(ChannelKey channel, String interfaceName, String member)
      throws DBusErrorException, IOException;
}
