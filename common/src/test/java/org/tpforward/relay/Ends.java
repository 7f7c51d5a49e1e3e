package org.tpforward.relay;

import java.io.IOException;
import java.net.InetAddress;
import java.nio.file.Path;
import org.tpforward.socket.Connection;
import org.tpforward.socket.Endpoint;
import org.tpforward.socket.Endpoints;
import org.tpforward.socket.Listener;

/**
 * A connection that a relay has one end of.
 *
 * @param outer the program's, in the test
 * @param inner the relay's
 */
record Ends(Connection outer, Connection inner) implements AutoCloseable {
  /** Every kind of local socket that there is. */
  enum Kind {
    PATH,
    ABSTRACT,
    IPV4,
    IPV6
  }

  static Ends of(Kind kind, Path dir) throws IOException {
    Endpoint where =
        switch (kind) {
          case PATH -> new Endpoint.UnixPath(dir.resolve("s" + System.nanoTime()).toString());
          case ABSTRACT -> Endpoints.randomAbstract("tpforward-test");
          case IPV4 -> new Endpoint.Ip(InetAddress.ofLiteral("127.0.0.1"), 0);
          case IPV6 -> new Endpoint.Ip(InetAddress.ofLiteral("::1"), 0);
        };
    try (Listener listener = Listener.open(where)) {
      return new Ends(Connection.connect(listener.endpoint()), listener.accept());
    }
  }

  @Override
  public void close() {
    outer.close();
    inner.close();
  }
}
