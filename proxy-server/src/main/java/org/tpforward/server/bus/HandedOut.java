package org.tpforward.server.bus;

import java.io.IOException;
import java.util.Optional;
import org.tpforward.socket.Endpoint;

/**
 * What one user may reach on one bus, apart from the bus itself: the sockets that crossed this
 * user's own bus connections, while their channels live. It has a bus connection of its own, for
 * Closed and NameOwnerChanged. For any number of threads.
 */
public final class HandedOut implements AutoCloseable {
  private HandedOut() {}

  /**
   * Connects to the bus.
   *
   * @param bus where it listens
   * @throws IOException if it cannot be reached: the message is for a person
   */
  @SuppressWarnings("DoNotCallSuggester")
  public static HandedOut on(Endpoint bus) throws IOException {
    throw new IOException("no bus at " + bus);
  }

  /** The socket that a CM handed out to this user at that address, if there is one now. */
  public Optional<Grant> find(Endpoint target) {
    return Optional.empty();
  }

  /** What this user offered to a CM at that address, if that is so now. */
  public Optional<Grant> findOffered(Endpoint listener) {
    return Optional.empty();
  }

  /** Whether the bus is still there; if not, nothing is found any more, and a new one is needed. */
  public boolean isOpen() {
    return false;
  }

  /** Forgets everything and leaves the bus. Idempotent. */
  @Override
  public void close() {}
}
