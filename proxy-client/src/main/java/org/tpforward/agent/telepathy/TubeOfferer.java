package org.tpforward.agent.telepathy;

import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import org.tpforward.dbus.BusConnection;
import org.tpforward.dbus.Value;
import org.tpforward.socket.AllowedUids;
import org.tpforward.socket.Connection;
import org.tpforward.socket.TelepathySockets;
import org.tpforward.telepathy.AccessControl;
import org.tpforward.telepathy.Addresses;
import org.tpforward.telepathy.Names;
import org.tpforward.telepathy.SocketAbilities;
import org.tpforward.telepathy.SocketKind;

/**
 * Offers one service to one contact, and serves its connections until the tube ends. Blocking;
 * {@link #cancel} may be called by another thread.
 */
public final class TubeOfferer {
  private static final long CONTACT = 1;

  /** For the byte of access control Credentials. */
  private static final Duration BYTE_PATIENCE = Duration.ofSeconds(30);

  private final Path runtime;
  private final TubeReport report;
  private final TubeRun run;

  /**
   * @param runtime a directory of the user's, for a private one in it
   * @param report told of everything
   */
  public TubeOfferer(Path runtime, TubeReport report) {
    this.runtime = runtime;
    this.report = report;
    this.run = new TubeRun(report);
  }

  /**
   * Offers a service; returns once the tube has ended.
   *
   * @param bus of the connection manager
   * @param account what stands after --account, null: the only one
   * @param tube what is offered: to whom, where the service listens, the parameters
   * @throws TransferException if the tube never opened, or was lost
   */
  public void offer(BusConnection bus, @Nullable String account, Tube tube)
      throws TransferException, InterruptedException {
    LiveConnection connection = LiveConnection.open(bus, new Accounts(bus).choose(account));
    connection.listen("interface='" + TubeState.INTERFACE + "'");
    List<Value> reply;
    try {
      Value request = request(tube);
      reply =
          connection.object().call(SessionBus.NETWORK, Names.REQUESTS, "CreateChannel", request);
    } catch (TransferException e) {
      throw new TransferException(
          Refusals.line(e, Refusals.What.TUBE, tube.contact(), connection.account()), "", e);
    }
    if (reply.size() != 2 || !(reply.get(1) instanceof Value.Dict properties)) {
      throw new TransferException("the connection manager's answer to CreateChannel is malformed");
    }
    RemoteObject channel = connection.object().at(Properties.text(reply.getFirst()));
    try {
      TubeWatch watch = run.watch(connection, channel);
      SocketAbilities abilities = abilities(new Properties(properties, ""));
      try (TubeListener listener = offer(channel, abilities, tube)) {
        TubeConnections.Gate gate = peer -> admit(listener.kind(), peer);
        TubeConnections connections =
            new TubeConnections(
                listener.listener(),
                gate,
                number -> Connection.connect(tube.address()),
                connection::loss,
                TubeConnections.Side.NEAR,
                report);
        run.begin(connections);
        report.waiting("waiting for " + tube.contact() + " to use " + tube.service());
        awaitOpen(watch, tube);
        run.untilEnd(watch, tube);
      }
    } finally {
      run.end();
      connection.close(channel);
    }
  }

  private static void awaitOpen(TubeWatch watch, Tube tube)
      throws TransferException, InterruptedException {
    try {
      watch.awaitOpen();
    } catch (TransferException e) {
      throw new TransferException(
          tube.contact() + " did not take the tube: " + e.getMessage(), "", e);
    }
  }

  /** Gives up: {@link #offer} ends soon, having closed its channel. */
  public void cancel() {
    run.cancel();
  }

  static SocketAbilities abilities(Properties properties) {
    Value.Dict map = properties.dict(Names.STREAM_TUBE + ".SupportedSocketTypes");
    return map == null ? SocketAbilities.LOCALHOST_ONLY : SocketAbilities.of(map);
  }

  private static Value.Dict request(Tube tube) {
    Map<String, Value> request = new LinkedHashMap<>();
    request.put(Names.CHANNEL + ".ChannelType", Value.of(Names.STREAM_TUBE));
    request.put(Names.CHANNEL + ".TargetHandleType", Value.u(CONTACT));
    request.put(Names.CHANNEL + ".TargetID", Value.of(tube.contact()));
    request.put(Names.STREAM_TUBE + ".Service", Value.of(tube.service()));
    return Value.dict(request);
  }

  /** Listens, and calls Offer, with the first kind of socket that the connection manager takes. */
  private TubeListener offer(RemoteObject channel, SocketAbilities abilities, Tube tube)
      throws TransferException {
    TransferException refused = null;
    for (SocketKind kind : TubeListener.kinds(abilities)) {
      TubeListener listener;
      try {
        listener = TubeListener.open(kind, runtime);
      } catch (IOException e) {
        refused = new TransferException("no socket for the tube: " + e.getMessage());
        continue;
      }
      boolean offered = false;
      try {
        call(channel, listener, tube);
        offered = true;
        return listener;
      } catch (TransferException e) {
        if (!LocalSocket.isNotImplemented(e)) {
          throw e;
        }
        refused = e;
      } finally {
        if (!offered) {
          listener.close();
        }
      }
    }
    throw refused != null ? refused : LocalSocket.nothingOffered();
  }

  private static void call(RemoteObject channel, TubeListener listener, Tube tube)
      throws TransferException {
    Map<String, Value> parameters = new LinkedHashMap<>();
    tube.parameters().forEach((key, value) -> parameters.put(key, Value.of(value)));
    channel.call(
        SessionBus.NETWORK,
        Names.STREAM_TUBE,
        "Offer",
        Value.u(listener.kind().type().code()),
        Value.v(Addresses.toValue(listener.listener().endpoint())),
        Value.u(listener.kind().access().code()),
        Value.dict(parameters));
  }

  /** It must be the connection manager, or an agent, and both run as the user of the bus. */
  private static void admit(SocketKind kind, Connection connection) throws IOException {
    if (kind.access() == AccessControl.CREDENTIALS) {
      TelepathySockets.Accepted _ =
          TelepathySockets.acceptWithByte(connection, AllowedUids.own(), BYTE_PATIENCE);
      return;
    }
    TubeConnections.Gate.only(AllowedUids.own()).admit(connection);
  }
}
