package org.tpforward.socket;

import java.io.IOException;
import java.net.InetAddress;
import java.nio.file.Path;

/** Every kind of local socket that there is. */
enum Kind {
  PATH,
  ABSTRACT,
  IPV4,
  IPV6;

  /** An address of this kind that is free. */
  Endpoint free(Path dir) throws IOException {
    return switch (this) {
      case PATH -> new Endpoint.UnixPath(dir.resolve("s" + System.nanoTime()).toString());
      case ABSTRACT -> Endpoints.randomAbstract("tpforward-test");
      case IPV4 -> new Endpoint.Ip(InetAddress.ofLiteral("127.0.0.1"), 0);
      case IPV6 -> new Endpoint.Ip(InetAddress.ofLiteral("::1"), 0);
    };
  }

  boolean isTcp() {
    return this == IPV4 || this == IPV6;
  }

  boolean isUnix() {
    return !isTcp();
  }
}
