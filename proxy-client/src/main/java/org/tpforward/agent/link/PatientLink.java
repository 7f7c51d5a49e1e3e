package org.tpforward.agent.link;

import java.io.IOException;
import java.util.function.Consumer;
import org.tpforward.relay.Duplex;
import org.tpforward.socket.Endpoint;
import org.tpforward.ssh.Incoming;
import org.tpforward.ssh.Opening;
import org.tpforward.telepathy.AddressType;

/**
 * A link for sockets of CMs: sshd's connect does not wait, and so a CM whose backlog is full (five,
 * with gabble) refuses a burst. Each of its opens is tried again, for some seconds at most.
 */
public record PatientLink(SshLink link) implements Link {
  private static final int TRIES = 24;

  @Override
  public Duplex open(Endpoint target) throws IOException {
    return link.open(target, TRIES);
  }

  /** Once: who is refused calls {@link #open} for further tries. */
  @Override
  public boolean begin(Endpoint target, Opening opening) {
    return link.begin(target, opening);
  }

  @Override
  public RemoteSocket listen(AddressType type, Consumer<Incoming> connections) throws IOException {
    return link.listen(type, connections);
  }

  @Override
  public Abilities abilities() {
    return link.abilities();
  }
}
