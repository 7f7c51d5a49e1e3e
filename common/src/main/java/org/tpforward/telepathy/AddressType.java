package org.tpforward.telepathy;

import java.util.Optional;

/** {@code Socket_Address_Type} of the Telepathy specification 0.27. */
public enum AddressType {
  /** A Unix socket in the file system; its address is {@code ay}, the path. */
  UNIX(0),
  /** A Unix socket in the abstract namespace; {@code ay}, the first byte NUL. */
  ABSTRACT_UNIX(1),
  /** {@code (sq)}: a dotted quad and a port. */
  IPV4(2),
  /** {@code (sq)}: an IPv6 address and a port. */
  IPV6(3);

  private final int code;

  AddressType(int code) {
    this.code = code;
  }

  /** The number that stands for it on the bus. */
  public int code() {
    return code;
  }

  /** Whether it is one of the two that TCP serves. */
  public boolean isIp() {
    return this == IPV4 || this == IPV6;
  }

  /** The type with that number, if the specification has one. */
  public static Optional<AddressType> of(long code) {
    return code >= 0 && code < values().length
        ? Optional.of(values()[(int) code])
        : Optional.empty();
  }
}
