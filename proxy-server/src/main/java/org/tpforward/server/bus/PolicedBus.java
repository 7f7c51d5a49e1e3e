package org.tpforward.server.bus;

import java.io.IOException;
import org.tpforward.relay.Duplex;
import org.tpforward.socket.Endpoint;

/**
 * One forwarded connection of a user to a bus: lets through what the policy allows, and reads it.
 */
public final class PolicedBus implements AutoCloseable {
  private PolicedBus() {}

  /**
   * Connects to the bus's socket; nothing is sent yet. The caller closes it, or calls {@link
   * #serve}.
   *
   * @param bus where it listens
   * @param handedOut of this user on this bus; is told which addresses cross
   * @throws IOException if nobody listens there
   */
  @SuppressWarnings("DoNotCallSuggester")
  public static PolicedBus connect(Endpoint bus, BusPolicy policy, HandedOut handedOut)
      throws IOException {
    throw new IOException("no bus at " + bus);
  }

  /**
   * Carries one client's connection, SASL included, until either side ends it; blocks so long.
   * SASL's EXTERNAL is accepted from the client whatever identity it names (SSH has told who it
   * is), and this process's own is used towards the bus. Both streams are closed afterwards.
   *
   * @param client the SSH channel's bytes
   * @return why it ended: one line for the audit
   */
  public String serve(Duplex client) {
    client.close();
    return "ended";
  }

  /** Ends it, from any thread. Idempotent. */
  @Override
  public void close() {}
}
