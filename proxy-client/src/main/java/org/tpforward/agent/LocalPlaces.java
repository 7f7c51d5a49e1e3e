package org.tpforward.agent;

import com.google.common.net.InetAddresses;
import java.security.SecureRandom;
import java.util.HexFormat;
import org.tpforward.agent.forward.ListenerPlaces;
import org.tpforward.socket.Endpoint;
import org.tpforward.telepathy.AddressType;

/** Local sockets in the agent's runtime directory, under random abstract names, on loopback. */
final class LocalPlaces implements ListenerPlaces {
  private final RuntimeDirectory directory;
  private final SecureRandom random = new SecureRandom();

  LocalPlaces(RuntimeDirectory directory) {
    this.directory = directory;
  }

  @Override
  public Endpoint next(AddressType type) {
    return switch (type) {
      case UNIX -> new Endpoint.UnixPath(directory.socket().toString());
      case ABSTRACT_UNIX -> {
        byte[] name = new byte[16];
        random.nextBytes(name);
        yield new Endpoint.UnixAbstract("tpforward-" + HexFormat.of().formatHex(name));
      }
      case IPV4 -> new Endpoint.Ip(InetAddresses.forString("127.0.0.1"), 0);
      case IPV6 -> new Endpoint.Ip(InetAddresses.forString("::1"), 0);
    };
  }
}
