package org.tpforward.agent;

import org.tpforward.agent.forward.ListenerPlaces;
import org.tpforward.socket.Endpoint;
import org.tpforward.socket.Endpoints;
import org.tpforward.telepathy.AddressType;
import org.tpforward.telepathy.Addresses;

/** Local sockets in the agent's runtime directory, under random abstract names, on loopback. */
final class LocalPlaces implements ListenerPlaces {
  private final RuntimeDirectory directory;

  LocalPlaces(RuntimeDirectory directory) {
    this.directory = directory;
  }

  @Override
  public Endpoint next(AddressType type) {
    return switch (type) {
      case UNIX -> new Endpoint.UnixPath(directory.socket().toString());
      case ABSTRACT_UNIX -> Endpoints.randomAbstract("tpforward");
      case IPV4, IPV6 -> new Endpoint.Ip(Addresses.loopback(type), 0);
    };
  }
}
