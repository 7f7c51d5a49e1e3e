package org.tpforward.server.cli;

/** {@code tpforward-server}. */
public final class TpforwardServer {
  private TpforwardServer() {}
}
