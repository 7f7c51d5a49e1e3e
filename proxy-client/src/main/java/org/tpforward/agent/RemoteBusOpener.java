package org.tpforward.agent;

import java.io.IOException;
import org.jspecify.annotations.Nullable;
import org.tpforward.agent.bus.Control;
import org.tpforward.agent.link.ChannelRefusedException;
import org.tpforward.agent.link.RemoteBus;
import org.tpforward.agent.link.SshLink;
import org.tpforward.relay.Duplex;
import org.tpforward.socket.Endpoint;

/** Opens channels to the remote bus, and looks for it again when it is not where it was. */
final class RemoteBusOpener implements Control.BusOpener {
  private final SshLink link;
  private final @Nullable String named;
  private volatile @Nullable Endpoint endpoint;

  /**
   * For one agent.
   *
   * @param named what {@code --remote-bus} says
   */
  RemoteBusOpener(SshLink link, @Nullable String named) {
    this.link = link;
    this.named = named;
  }

  /** Where the bus is, once it has been found. */
  @Nullable Endpoint endpoint() {
    return endpoint;
  }

  @Override
  public Duplex open() throws IOException {
    Endpoint known = endpoint;
    if (known != null) {
      try {
        return link.open(known);
      } catch (ChannelRefusedException e) {
        if (e.reason() != ChannelRefusedException.Reason.CONNECT_FAILED) {
          throw e;
        }
      }
    }
    RemoteBus.Found found = RemoteBus.find(link, named);
    endpoint = found.endpoint();
    return found.stream();
  }
}
