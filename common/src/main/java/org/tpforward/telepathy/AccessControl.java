package org.tpforward.telepathy;

import java.util.Optional;

/** {@code Socket_Access_Control} of the Telepathy specification 0.27. */
public enum AccessControl {
  /** Any process of the machine may connect. The parameter is ignored. */
  LOCALHOST(0),
  /** IP only: who connects must do so from the address and port in the parameter, {@code (sq)}. */
  PORT(1),
  /** IP only; never implemented by any CM, and removed from the specification's drafts. */
  NETMASK(2),
  /** Unix only: who connects sends one byte first, with its credentials (SCM_CREDENTIALS). */
  CREDENTIALS(3);

  private final int code;

  AccessControl(int code) {
    this.code = code;
  }

  /** The number that stands for it on the bus. */
  public int code() {
    return code;
  }

  /** The access control with that number, if the specification has one. */
  public static Optional<AccessControl> of(long code) {
    return code >= 0 && code < values().length
        ? Optional.of(values()[(int) code])
        : Optional.empty();
  }
}
