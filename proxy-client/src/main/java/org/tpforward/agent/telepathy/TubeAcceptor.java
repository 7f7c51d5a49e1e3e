package org.tpforward.agent.telepathy;

import java.io.IOException;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.tpforward.dbus.BusConnection;
import org.tpforward.dbus.Value;
import org.tpforward.socket.AllowedUids;
import org.tpforward.socket.Endpoint;
import org.tpforward.socket.Listener;
import org.tpforward.telepathy.Names;

/**
 * Accepts one tube that a contact offers, and listens for its clients until it ends. Blocking;
 * {@link #cancel} may be called by another thread.
 */
public final class TubeAcceptor {
  private static final Logger log = LoggerFactory.getLogger(TubeAcceptor.class);
  private static final String CAPABILITIES = Account.CONNECTION + ".Interface.ContactCapabilities";
  private static final long CONTACT = 1;

  private final TubeReport report;
  private final TubeRun run;

  /**
   * What is to be accepted.
   *
   * @param contact whose tube, null: the first that comes
   * @param service what it must be for
   * @param address where clients will connect; port 0 lets the system choose
   * @param allowed who may, null: every local user
   */
  public record Wanted(
      @Nullable String contact, String service, Endpoint address, @Nullable AllowedUids allowed) {}

  /**
   * @param report told of everything
   */
  public TubeAcceptor(TubeReport report) {
    this.report = report;
    this.run = new TubeRun(report);
  }

  /**
   * Waits for a tube, accepts it, and returns once it has ended.
   *
   * @param bus of the connection manager
   * @param account what stands after --account, null: the only one
   * @throws TransferException if the tube never opened, or was lost
   */
  public void accept(BusConnection bus, @Nullable String account, Wanted wanted)
      throws TransferException, InterruptedException {
    listen(wanted.address()).close(); // Who waits for hours wants to know now that it is taken.
    LiveConnection connection = LiveConnection.open(bus, new Accounts(bus).choose(account));
    connection.listen("interface='" + TubeState.INTERFACE + "'");
    IncomingTubes incoming = new IncomingTubes(wanted.service(), wanted.contact());
    run.await(incoming);
    connection.watch(connection.object(), incoming);
    String client = Names.PREFIX + ".Client.tpforward." + bus.uniqueName().replaceAll("[:.]", "_");
    announce(connection, client, wanted.service());
    try {
      connection.onNewChannel(incoming::offered);
      report.waiting(
          "waiting for "
              + (wanted.contact() == null ? "somebody" : wanted.contact())
              + " to offer "
              + wanted.service()
              + " to "
              + connection.account().shortName());
      while (!serve(connection, incoming.next(), wanted)) {
        // Somebody else has taken it.
      }
    } finally {
      connection.leave(connection.object());
      if (bus.isOpen()) {
        announce(connection, client, null);
      }
    }
  }

  /** Gives up: {@link #accept} ends soon, having closed its channel. */
  public void cancel() {
    run.cancel();
  }

  /**
   * On some networks a tube can be offered only to who has said before that the service is welcome.
   *
   * @param service null: nothing is any more
   */
  private static void announce(LiveConnection connection, String client, @Nullable String service) {
    List<Value> filters =
        service == null
            ? List.of()
            : List.of(
                Value.dict(
                    Map.of(
                        Names.CHANNEL + ".ChannelType",
                        Value.of(Names.STREAM_TUBE),
                        Names.CHANNEL + ".TargetHandleType",
                        Value.u(CONTACT),
                        Names.STREAM_TUBE + ".Service",
                        Value.of(service))));
    Value handler =
        new Value.Struct(
            List.of(
                Value.of(client),
                new Value.Array("a{sv}", filters),
                new Value.Array("s", List.of())));
    try {
      connection
          .object()
          .call(
              CAPABILITIES, "UpdateCapabilities", new Value.Array("(saa{sv}as)", List.of(handler)));
    } catch (TransferException e) {
      log.debug("no capabilities are announced: {}", e.getMessage());
    }
  }

  private static Listener listen(Endpoint address) throws TransferException {
    try {
      return Listener.open(address);
    } catch (IOException e) {
      throw new TransferException("cannot listen at " + address + ": " + e.getMessage());
    }
  }

  private static Map<String, String> parameters(IncomingTubes.Offer offer, RemoteObject channel)
      throws TransferException {
    Value.Dict given = offer.properties().dict(TubeState.INTERFACE + ".Parameters");
    if (given != null) {
      return Tube.parameters(given);
    }
    Value read = channel.property(TubeState.INTERFACE, "Parameters");
    return read instanceof Value.Dict dict ? Tube.parameters(dict) : Map.of();
  }

  /** Whether the tube was there to be accepted. */
  private boolean serve(LiveConnection connection, IncomingTubes.Offer offer, Wanted wanted)
      throws TransferException, InterruptedException {
    RemoteObject channel = connection.object().at(offer.path());
    TubeWatch watch = run.watch(connection, channel);
    if (watch.state() != TubeState.LOCAL_PENDING) {
      connection.leave(channel);
      return false;
    }
    try (Listener listener = listen(wanted.address())) {
      LocalSocket socket =
          LocalSocket.ask(
              channel, Names.STREAM_TUBE, "Accept", TubeOfferer.abilities(offer.properties()));
      watch.awaitOpen();
      Tube tube =
          new Tube(
              wanted.service(), offer.contact(), listener.endpoint(), parameters(offer, channel));
      AllowedUids allowed = wanted.allowed();
      run.begin(
          new TubeConnections(
              listener,
              allowed == null ? client -> {} : TubeConnections.Gate.only(allowed),
              socket::connect,
              connection::loss,
              TubeConnections.Side.FAR,
              report));
      run.untilEnd(watch, tube);
      return true;
    } finally {
      run.end();
      connection.close(channel);
    }
  }
}
