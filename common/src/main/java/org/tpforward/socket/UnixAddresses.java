package org.tpforward.socket;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import org.newsclub.net.unix.AFUNIXSocketAddress;

/** Unix socket addresses for junixsocket, byte for byte whatever the locale. */
final class UnixAddresses {
  private UnixAddresses() {}

  /**
   * The same address as junixsocket has it.
   *
   * @throws IllegalArgumentException for an endpoint that is no Unix socket
   */
  static AFUNIXSocketAddress of(Endpoint endpoint) throws IOException {
    String name =
        switch (endpoint) {
          case Endpoint.UnixPath(String path) -> path;
          case Endpoint.UnixAbstract(String abstractName) -> "\0" + abstractName;
          case Endpoint.Ip ip -> throw new IllegalArgumentException("no Unix socket: " + ip);
        };
    return AFUNIXSocketAddress.of(name.getBytes(StandardCharsets.UTF_8));
  }
}
