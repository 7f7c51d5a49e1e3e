package org.tpforward.socket;

import java.io.IOException;
import java.nio.file.Path;

/** Two ends of one connection: the one that connected, and the one that was accepted. */
record Pair(Connection client, Connection server, Listener listener) implements AutoCloseable {
  static Pair of(Kind kind, Path dir) throws IOException {
    return of(Listener.open(kind.free(dir)), false);
  }

  /** Both ends with their descriptors. */
  static Pair forCredentials(Path dir) throws IOException {
    return of(Listener.openForCredentials(Kind.PATH.free(dir)), true);
  }

  private static Pair of(Listener listener, boolean credentials) throws IOException {
    Connection client =
        credentials
            ? Connection.connectForCredentials(listener.endpoint())
            : Connection.connect(listener.endpoint());
    return new Pair(client, listener.accept(), listener);
  }

  @Override
  public void close() {
    client.close();
    server.close();
    listener.close();
  }
}
