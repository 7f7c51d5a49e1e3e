package org.tpforward.agent.telepathy;

import java.io.Closeable;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.tpforward.socket.Endpoint;
import org.tpforward.socket.Endpoints;
import org.tpforward.socket.Listener;
import org.tpforward.socket.TelepathySockets;
import org.tpforward.telepathy.AccessControl;
import org.tpforward.telepathy.Addresses;
import org.tpforward.telepathy.SocketAbilities;
import org.tpforward.telepathy.SocketKind;

/**
 * The socket that is offered to a connection manager in a service's place: of a kind that it can
 * connect to, whatever the service's own is.
 *
 * @param directory of a Unix socket in the file system, private, removed with it
 */
record TubeListener(SocketKind kind, Listener listener, @Nullable Path directory)
    implements Closeable {
  private static final Logger log = LoggerFactory.getLogger(TubeListener.class);

  /**
   * The kinds to try, in this order. Who connects is checked by its uid in any case, so Localhost
   * comes before Credentials, which costs a byte and a wait for each connection. Port is last.
   */
  static List<SocketKind> kinds(SocketAbilities abilities) {
    List<SocketKind> kinds = new ArrayList<>();
    for (AccessControl access :
        List.of(AccessControl.LOCALHOST, AccessControl.CREDENTIALS, AccessControl.PORT)) {
      for (SocketKind kind : SocketKind.ALL) {
        if (kind.access() == access && abilities.kinds().contains(kind)) {
          kinds.add(kind);
        }
      }
    }
    return kinds;
  }

  /**
   * Listens.
   *
   * @param runtime where the private directory goes
   */
  static TubeListener open(SocketKind kind, Path runtime) throws IOException {
    return switch (kind.type()) {
      case UNIX -> {
        Path directory = TubeDirectory.create(runtime);
        try {
          Endpoint where = new Endpoint.UnixPath(TubeDirectory.socket(directory).toString());
          yield new TubeListener(kind, listen(kind, where), directory);
        } catch (IOException e) {
          Files.deleteIfExists(directory);
          throw e;
        }
      }
      case ABSTRACT_UNIX ->
          new TubeListener(kind, listen(kind, Endpoints.randomAbstract("tpforward-tube")), null);
      case IPV4, IPV6 ->
          new TubeListener(
              kind, listen(kind, new Endpoint.Ip(Addresses.loopback(kind.type()), 0)), null);
    };
  }

  private static Listener listen(SocketKind kind, Endpoint where) throws IOException {
    return kind.access() == AccessControl.CREDENTIALS
        ? TelepathySockets.listenForBytes(where)
        : Listener.open(where);
  }

  @Override
  public void close() {
    listener.close();
    if (directory != null) {
      try {
        Files.deleteIfExists(directory);
      } catch (IOException e) {
        log.warn("{} could not be removed: {}", directory, e.getMessage());
      }
    }
  }
}
