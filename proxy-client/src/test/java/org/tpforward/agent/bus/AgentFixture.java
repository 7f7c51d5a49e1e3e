package org.tpforward.agent.bus;

import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import org.tpforward.agent.forward.DirectLink;
import org.tpforward.agent.forward.Forwards;
import org.tpforward.agent.forward.Sockets;
import org.tpforward.socket.AllowedUids;
import org.tpforward.socket.Connection;
import org.tpforward.socket.Endpoint;
import org.tpforward.socket.Listener;
import org.tpforward.telepathy.AddressType;

/** A forwarded bus with its forwards; no SSH between it and the remote bus. */
final class AgentFixture implements AutoCloseable {
  static final Duration SHORT = Duration.ofMillis(300);

  static final Forwards.Settings PATIENT =
      new Forwards.Settings(
          Sockets.PATIENCE,
          Sockets.PATIENCE,
          Sockets.PATIENCE,
          Sockets.PATIENCE,
          Sockets.PATIENCE,
          Sockets.PATIENCE,
          Sockets.PATIENCE,
          2048);

  final DirectLink link;
  final Forwards forwards;
  final Control control;
  final BusServer server;
  final Path socket;
  private final Path directory;

  /** An agent with bounds that no test reaches. */
  AgentFixture(Path directory, Path remoteBus) throws IOException {
    this(directory, remoteBus, Sockets.PATIENCE, Sockets.PATIENCE);
  }

  /**
   * An agent.
   *
   * @param calls how long a CM may take to answer the agent
   * @param sasl how long authentication may take
   */
  AgentFixture(Path directory, Path remoteBus, Duration calls, Duration sasl) throws IOException {
    this.directory = directory;
    link = new DirectLink(directory);
    Control.BusOpener opener =
        () -> Connection.connect(new Endpoint.UnixPath(remoteBus.toString()));
    forwards =
        new Forwards(link, AllowedUids.own(), type -> Sockets.place(directory, type), PATIENT);
    control = new Control(opener, calls, forwards::happened, this::busLost);
    socket = directory.resolve("bus");
    server =
        new BusServer(
            Listener.open(new Endpoint.UnixPath(socket.toString())),
            AllowedUids.own(),
            control,
            opener,
            link,
            forwards,
            sasl);
    server.start();
  }

  private void busLost() {
    server.disconnectAll();
    forwards.busLost();
  }

  /** A client of the forwarded bus. */
  Peer client() throws Exception {
    return Peer.connect(socket);
  }

  /** A place for a socket. */
  Endpoint place(AddressType type) {
    return Sockets.place(directory, type);
  }

  @Override
  public void close() {
    server.close();
    control.close();
    forwards.close();
    link.close();
  }
}
