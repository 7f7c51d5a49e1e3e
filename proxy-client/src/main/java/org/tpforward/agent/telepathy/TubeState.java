package org.tpforward.agent.telepathy;

import java.util.Locale;
import org.tpforward.telepathy.Names;

/** {@code Tube_Channel_State} of Channel.Interface.Tube, of 0.27. */
enum TubeState {
  LOCAL_PENDING,
  REMOTE_PENDING,
  OPEN,
  NOT_OFFERED,
  UNKNOWN;

  /** Those that the specification has. */
  private static final int STATES = 4;

  static final String INTERFACE = Names.CHANNEL + ".Interface.Tube";

  /** The state with that number; {@link #UNKNOWN} if the specification has none. */
  static TubeState of(long code) {
    return code >= 0 && code < STATES ? values()[(int) code] : UNKNOWN;
  }

  /** A channel's state; {@link #UNKNOWN} if it is gone, or does not say. */
  static TubeState read(RemoteObject channel) throws TransferException {
    try {
      return of(Properties.number(channel.property(INTERFACE, "State"), -1));
    } catch (TransferException e) {
      if (e.errorName().isEmpty()) {
        throw e;
      }
      return UNKNOWN;
    }
  }

  /** For people and for JSON: {@code open}, {@code local-pending}. */
  String word() {
    return name().toLowerCase(Locale.ROOT).replace('_', '-');
  }
}
