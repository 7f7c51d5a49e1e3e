package org.tpforward.loopback;

import static org.tpforward.loopback.Names.TUBE;

import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.freedesktop.dbus.types.Variant;
import org.jspecify.annotations.Nullable;

/** What stream tubes and D-Bus tubes have in common: Channel.Interface.Tube. */
abstract class TubeChannel extends Channel {
  private final Manager manager;
  private final @Nullable Target target;
  private volatile Map<?, ?> parameters;
  private volatile TubeState state;

  /**
   * A channel that is about to be offered, or one that has been.
   *
   * @param target whom it is to be offered to; null at an end that may accept
   * @param parameters an {@code a{sv}}; empty before the offer
   */
  TubeChannel(
      Manager manager,
      Connection connection,
      Identity identity,
      String kind,
      @Nullable Target target,
      Map<?, ?> parameters) {
    super(manager, connection, identity, kind);
    this.manager = manager;
    this.target = target;
    this.parameters = parameters;
    this.state = target == null ? TubeState.LOCAL_PENDING : TubeState.NOT_OFFERED;
  }

  Manager manager() {
    return manager;
  }

  TubeState tubeState() {
    return state;
  }

  /** What the tube is for. */
  abstract String service();

  /** Whether it is the same tube that is asked for, and still there. */
  boolean isFor(String type, Target wanted, String service) {
    return identity().requested()
        && identity().type().equals(type)
        && identity().targetType() == wanted.type()
        && identity().target() == wanted.handle()
        && service().equals(service);
  }

  public void setState(TubeState now) {
    if (state != now) {
      state = now;
      emit(TUBE, "TubeChannelStateChanged", "u", Values.u(now.code()));
    }
  }

  @Override
  List<String> interfaces() {
    return List.of(TUBE);
  }

  @Override
  Map<String, Variant<?>> interfaceProperties() {
    Map<String, Variant<?>> properties = new LinkedHashMap<>();
    if (target == null) {
      properties.put(TUBE + ".Parameters", Values.variant(parameters, "a{sv}"));
    }
    return properties;
  }

  void addTubeTo(BusObject object) {
    object.property(TUBE, "Parameters", "a{sv}", () -> parameters);
    object.computed(TUBE, "State", "u", () -> Values.u(state.code()));
    object.signal(TUBE, "TubeChannelStateChanged", "u");
  }

  /**
   * Checks that this end may offer now, and to whom.
   *
   * @throws Fault NotAvailable if it is the other end, or has offered before
   */
  List<Connection> beginOffer(Map<?, ?> offered) throws Fault {
    Target to = target;
    if (to == null || state != TubeState.NOT_OFFERED) {
      throw Fault.notAvailable("this tube cannot be offered");
    }
    List<Connection> audience = to.audience(manager, connection());
    if (audience.isEmpty() && to.type() == Handles.CONTACT) {
      throw Fault.of("Offline", to.name() + " is not connected");
    }
    parameters = Map.copyOf(offered);
    setState(to.type() == Handles.ROOM ? TubeState.OPEN : TubeState.REMOTE_PENDING);
    return audience;
  }

  /** The identity that one of the audience sees. */
  Identity seenBy() {
    Target to = target;
    if (to == null) {
      throw new IllegalStateException("nothing is offered from here");
    }
    return Identity.incoming(identity().type(), connection(), to);
  }

  Map<?, ?> parameters() {
    return parameters;
  }

  /** Checks that this end may accept now. */
  void beginAccept() throws Fault {
    manager.misbehaviour().beforeAccept();
    if (target != null || state != TubeState.LOCAL_PENDING) {
      throw Fault.notAvailable("this tube cannot be accepted");
    }
  }
}
