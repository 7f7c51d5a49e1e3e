package org.tpforward.server.bus;

import java.io.IOException;
import java.util.function.Consumer;
import org.tpforward.socket.Connection;
import org.tpforward.socket.Endpoint;

/**
 * A listener that the server has opened for a user, who may offer it to CMs ({@link HandedOut} has
 * the rule). Whoever accepts its connections does so in a loop:
 *
 * <pre>
 *   listening.awaitOffered();
 *   Connection connection = listener.accept();
 *   Grant grant = listening.check(connection); // or close it
 * </pre>
 *
 * For any number of threads.
 */
public final class Listening implements AutoCloseable {
  private final Endpoint endpoint;
  private final Grants grants;
  private final Consumer<Listening> ended;
  private volatile boolean closed;

  Listening(Endpoint endpoint, Grants grants, Consumer<Listening> ended) {
    this.endpoint = endpoint;
    this.grants = grants;
    this.ended = ended;
  }

  /** Where it listens. */
  public Endpoint endpoint() {
    return endpoint;
  }

  /**
   * Waits until it is offered to a CM, be it for long.
   *
   * @throws IOException if it is closed, or the bus is gone
   */
  public void awaitOffered() throws IOException, InterruptedException {
    if (!grants.await(endpoint, Grants.Listener.CLIENT, () -> !closed)) {
      throw new IOException("the listener at " + endpoint + " is closed");
    }
  }

  /**
   * Whether a connection comes from a CM to which this has been offered.
   *
   * @param accepted on a Unix socket one that tells its peer's process, as of {@link
   *     org.tpforward.socket.Listener#openForCredentials}
   * @return the grant by which it may go on
   * @throws IOException if not; one line for the audit. The caller closes the connection
   */
  public Grant check(Connection accepted) throws IOException {
    return HandedOut.firstOf(
        endpoint,
        grants.at(endpoint, Grants.Listener.CLIENT),
        grant -> grant.checkClient(accepted));
  }

  /** It cannot be offered any more; who waits is woken. Idempotent. */
  @Override
  public void close() {
    closed = true;
    ended.accept(this);
    grants.endAt(endpoint);
  }
}
