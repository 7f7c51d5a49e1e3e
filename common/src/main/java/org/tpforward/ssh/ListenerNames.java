package org.tpforward.ssh;

import java.util.concurrent.ConcurrentHashMap;
import org.apache.sshd.common.AttributeRepository.AttributeKey;
import org.apache.sshd.common.session.Session;
import org.tpforward.socket.Endpoint;

/**
 * By which address a client asked a server to listen: it knows its forwards by these very words
 * ({@code localhost}), and wants to read them in forwarded-tcpip.
 */
final class ListenerNames {
  private static final AttributeKey<ListenerNames> KEY = new AttributeKey<>();

  private final ConcurrentHashMap<Endpoint, String> names = new ConcurrentHashMap<>();

  private ListenerNames() {}

  static ListenerNames of(Session session) {
    return session.computeAttributeIfAbsent(KEY, key -> new ListenerNames());
  }

  void put(Endpoint.Ip listener, String name) {
    names.put(listener, name);
  }

  void remove(Endpoint.Ip listener) {
    names.remove(listener);
  }

  String get(Endpoint.Ip listener) {
    return names.getOrDefault(listener, listener.address().getHostAddress());
  }
}
