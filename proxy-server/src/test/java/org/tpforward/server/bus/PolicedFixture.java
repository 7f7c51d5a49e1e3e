package org.tpforward.server.bus;

import java.io.IOException;
import java.nio.file.Path;
import java.util.Set;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import org.tpforward.socket.Connection;
import org.tpforward.socket.Endpoint;
import org.tpforward.socket.Listener;

/** A door to a bus for one user, as the server has it; no SSH between. */
final class PolicedFixture implements AutoCloseable {
  final HandedOut handedOut;
  final Endpoint door;
  private final Listener listener;
  private final Set<Connection> connections = ConcurrentHashMap.newKeySet();
  private final BlockingQueue<String> ends = new LinkedBlockingQueue<>();

  PolicedFixture(Path directory, TestBus bus, BusPolicy policy) throws IOException {
    handedOut = HandedOut.on(bus.endpoint());
    door = new Endpoint.UnixPath(directory.resolve("door" + System.nanoTime()).toString());
    listener = Listener.open(door);
    Thread.ofPlatform().daemon().start(() -> acceptAll(bus, policy));
  }

  private void acceptAll(TestBus bus, BusPolicy policy) {
    try {
      while (true) {
        Connection connection = listener.accept();
        connections.add(connection);
        Thread.ofPlatform()
            .daemon()
            .start(() -> {
              try {
                ends.add(PolicedBus.connect(bus.endpoint(), policy, handedOut).serve(connection));
              } catch (IOException e) {
                connection.close();
                ends.add("no bus: " + e.getMessage());
              }
              connections.remove(connection);
            });
      }
    } catch (IOException e) {
      // Closed.
    }
  }

  Peer client() throws Exception {
    return Peer.connect(door);
  }

  /** Why the next connection ended. */
  String end() throws InterruptedException {
    String end = ends.poll(Tests.PATIENCE.toSeconds(), TimeUnit.SECONDS);
    if (end == null) {
      throw new AssertionError("no connection has ended");
    }
    return end;
  }

  /** How many connections are carried now. */
  int carried() {
    return connections.size();
  }

  String address() {
    return "unix:path=" + ((Endpoint.UnixPath) door).path();
  }

  @Override
  public void close() {
    listener.close();
    connections.forEach(Connection::close);
    handedOut.close();
  }
}
