package org.tpforward.agent.forward;

import static java.util.Objects.requireNonNull;

import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.concurrent.CompletableFuture;
import org.jspecify.annotations.Nullable;
import org.tpforward.socket.AllowedUids;
import org.tpforward.socket.Connection;
import org.tpforward.socket.Endpoint;
import org.tpforward.socket.Listener;
import org.tpforward.socket.TelepathySockets;
import org.tpforward.telepathy.AccessControl;
import org.tpforward.telepathy.AddressType;
import org.tpforward.telepathy.Crossing;
import org.tpforward.telepathy.SocketKind;

/** Forwards over a direct link, and a CM's socket behind it. */
final class ForwardFixture implements AutoCloseable {
  static final ChannelKey CHANNEL = new ChannelKey(":1.5", "/org/example/Channel");
  static final long CLIENT = 3;
  static final SocketKind UNIX = new SocketKind(AddressType.UNIX, AccessControl.LOCALHOST);

  /** Bounds that no test reaches unless it shortens one. */
  static final Forwards.Settings PATIENT =
      new Forwards.Settings(
          Sockets.PATIENCE,
          Sockets.PATIENCE,
          Sockets.PATIENCE,
          Sockets.PATIENCE,
          Sockets.PATIENCE,
          Sockets.PATIENCE,
          Sockets.PATIENCE,
          64);

  static final Duration SHORT = Duration.ofMillis(50);

  final DirectLink link;
  final Forwards forwards;
  final Listener cm;
  private final Path directory;

  ForwardFixture(Path directory, Forwards.Settings settings) throws IOException {
    this.directory = directory;
    this.link = new DirectLink(directory);
    this.forwards =
        new Forwards(link, AllowedUids.own(), type -> Sockets.place(directory, type), settings);
    this.cm = Listener.open(Sockets.place(directory, AddressType.UNIX));
  }

  /** A tube of that local kind. */
  Forward tube(SocketKind local, Endpoint.@Nullable Ip source) throws Exception {
    return forwards.accept(
        new Forward.Spec(CHANNEL, Forward.NO_ID, Crossing.Use.STREAM_TUBE, local, source, UNIX),
        null);
  }

  /** A tube that the CM serves. */
  Forward boundTube(SocketKind local, Endpoint.@Nullable Ip source) throws Exception {
    Forward forward = tube(local, source);
    forward.bind(cm.endpoint());
    return forward;
  }

  /** A file, which the CM sends if there is a state to earn its end. */
  Forward file(SocketKind local, @Nullable TransferState state) throws Exception {
    Forward forward =
        forwards.accept(
            new Forward.Spec(
                CHANNEL,
                Forward.NO_ID,
                state == null ? Crossing.Use.OUTGOING_FILE : Crossing.Use.INCOMING_FILE,
                local,
                null,
                UNIX),
            state);
    forward.bind(cm.endpoint());
    return forward;
  }

  /** A port from which a client can connect. */
  Endpoint.Ip freePort(AddressType type) throws IOException {
    try (Listener taken = Listener.open(Sockets.anyPort(type))) {
      return (Endpoint.Ip) taken.endpoint();
    }
  }

  /** Connects as the rightful client of that kind does. */
  static Connection connect(Forward forward) throws IOException {
    Endpoint where = forward.local();
    return switch (forward.spec().local().access()) {
      case CREDENTIALS -> TelepathySockets.connectWithByte(where, 0x58);
      case PORT ->
          TelepathySockets.connectFrom(
              (Endpoint.Ip) where, requireNonNull(forward.spec().source()));
      default -> TelepathySockets.connect(where);
    };
  }

  /** What the CM accepts next. */
  CompletableFuture<Connection> atCm() {
    return Sockets.start(cm::accept);
  }

  Endpoint place(AddressType type) {
    return Sockets.place(directory, type);
  }

  @Override
  public void close() {
    forwards.close();
    link.close();
    cm.close();
  }
}
