package org.tpforward.loopback;

/** {@code Tube_Channel_State} of Channel.Interface.Tube; Channel.Type.Tubes has the first three. */
enum TubeState {
  LOCAL_PENDING(0),
  REMOTE_PENDING(1),
  OPEN(2),
  NOT_OFFERED(3);

  private final int code;

  TubeState(int code) {
    this.code = code;
  }

  int code() {
    return code;
  }
}
