package org.tpforward.loopback;

import java.util.List;
import org.tpforward.telepathy.SocketKind;
import org.tpforward.telepathy.TelepathyException;

/** Kinds of socket as a call names them. */
final class Kinds {
  private Kinds() {}

  /**
   * The kind that two numbers mean.
   *
   * @throws Fault InvalidArgument if the specification has no such number, NotImplemented if it is
   *     not among those that are offered
   */
  static SocketKind of(long type, long access, List<SocketKind> offered) throws Fault {
    SocketKind kind;
    try {
      kind = SocketKind.of(type, access);
    } catch (TelepathyException e) {
      throw e.errorName().endsWith("InvalidArgument")
          ? Fault.invalidArgument(e.text())
          : Fault.notImplemented(e.text());
    }
    if (!offered.contains(kind)) {
      throw Fault.notImplemented(kind + " is not offered");
    }
    return kind;
  }
}
