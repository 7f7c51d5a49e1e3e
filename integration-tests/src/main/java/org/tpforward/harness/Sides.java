package org.tpforward.harness;

import java.util.List;

/**
 * A desktop and a server, joined by one wire and nothing else: no file system, no loopback, no uid
 * in common. An address of the server's that reaches the desktop unchanged leads nowhere there.
 */
public final class Sides implements AutoCloseable {
  /** Of TEST-NET-1 (RFC 5737); both ends exist in the namespaces only. */
  private static final String DESKTOP = "192.0.2.1";

  private static final String SERVER = "192.0.2.2";

  private final Side desktop;
  private final Side server;

  private Sides(Side desktop, Side server) {
    this.desktop = desktop;
    this.server = server;
  }

  /**
   * Makes both sides and the wire.
   *
   * @throws HarnessException if the system allows no namespaces
   */
  public static Sides open() {
    Side desktop = Side.open("desktop", DESKTOP);
    try {
      Sides sides = new Sides(desktop, Side.open("server", SERVER));
      try {
        sides.join();
        return sides;
      } catch (RuntimeException e) {
        sides.close();
        throw e;
      }
    } catch (RuntimeException e) {
      desktop.close();
      throw e;
    }
  }

  private void join() {
    ip(desktop, "link add name wire type veth peer name wire netns " + server.init());
    for (Side side : List.of(desktop, server)) {
      ip(side, "address add " + side.address() + "/24 dev wire");
      ip(side, "link set wire up");
    }
  }

  /** Only the network namespace is entered: the other side's process has its number out here. */
  private static void ip(Side side, String arguments) {
    List<String> command =
        java.util.stream.Stream.concat(
                java.util.stream.Stream.of(
                    "nsenter", "-t", Long.toString(side.init()), "-n", "--", "ip"),
                java.util.Arrays.stream(arguments.split(" ", -1)))
            .toList();
    try (Proc proc = Proc.start("ip", command, false, false)) {
      proc.await().ok();
    }
  }

  /** Takes the wire out, as when a laptop sleeps: packets are lost, nothing is told. */
  public void cutWire() {
    ip(server, "link set wire down");
  }

  /** Puts the wire back. */
  public void mendWire() {
    ip(server, "link set wire up");
  }

  /** Where the clients and the agent are. */
  public Side desktop() {
    return desktop;
  }

  /** Where sshd, the bus and the connection manager are. */
  public Side server() {
    return server;
  }

  /** Who uses the desktop. */
  public Login desk() {
    return desktop.login(User.DESK);
  }

  /** Who owns the bus on the server. */
  public Login serv() {
    return server.login(User.SERV);
  }

  @Override
  public void close() {
    desktop.close();
    server.close();
  }
}
