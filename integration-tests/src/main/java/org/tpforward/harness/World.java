package org.tpforward.harness;

import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * The whole environment: a desktop, a server with a bus, the loopback connection manager and an SSH
 * server. Agents are started on the desktop.
 */
public final class World implements AutoCloseable {
  private final Place desktop;
  private final Place server;
  private final @Nullable Sides sides;
  private final Login desk;
  private final PrivateBus bus;
  private final RemoteServer ssh;

  private World(
      Place desktop, Place server, @Nullable Sides sides, int port, boolean own, String... cm) {
    this.desktop = desktop;
    this.server = server;
    this.sides = sides;
    this.desk = desktop.login(sides != null ? User.DESK : User.current());
    Login serv = server.login(sides != null ? User.SERV : User.current());
    this.bus = PrivateBus.start(serv, cm);
    try {
      // On one machine the home is the user's own: keep the shell's files there out of this.
      this.ssh =
          own
              ? PrivateServer.start(bus.login(), port)
              : sides != null
                  ? PrivateSshd.start(server, port)
                  : PrivateSshd.start(server, port, "SetEnv HOME=" + serv.home());
      ssh.authorize(desk, serv.user().name());
    } catch (RuntimeException e) {
      bus.close();
      throw e;
    }
  }

  /**
   * Two sides truly apart, with OpenSSH's server.
   *
   * @param cm arguments of the connection manager
   * @throws HarnessException if the system allows no namespaces
   */
  public static World apart(String... cm) {
    return apart(false, cm);
  }

  /** The same, with tpforward-server in its place. */
  public static World apartWithServer(String... cm) {
    return apart(true, cm);
  }

  /**
   * The same, with OpenSSH's server unless the property tpforward.harness.server is {@code
   * tpforward-server}: for tests that are run against both.
   */
  public static World apartWithEither(String... cm) {
    return apart("tpforward-server".equals(System.getProperty("tpforward.harness.server")), cm);
  }

  private static World apart(boolean own, String... cm) {
    Sides sides = Sides.open();
    try {
      // An ordinary user has no port below 1024.
      return new World(sides.desktop(), sides.server(), sides, own ? 2222 : 22, own, cm);
    } catch (RuntimeException e) {
      sides.close();
      throw e;
    }
  }

  /**
   * Everything on this machine, as the current user: an address that leaks through works by
   * accident here.
   */
  public static World oneMachine(String... cm) {
    OneMachine machine = OneMachine.open();
    try {
      return new World(machine, machine, null, PrivateSshd.freePort(), false, cm);
    } catch (RuntimeException e) {
      machine.close();
      throw e;
    }
  }

  /** Whether the sides are apart. */
  public boolean isApart() {
    return sides != null;
  }

  /** The sides and the wire between them. */
  public Sides sides() {
    if (sides == null) {
      throw new IllegalStateException("one machine has no sides");
    }
    return sides;
  }

  /** The machine with the clients and the agent. */
  public Place desktop() {
    return desktop;
  }

  /** The machine with sshd, the bus and the connection manager. */
  public Place server() {
    return server;
  }

  /** Who uses the desktop; no bus yet. */
  public Login desk() {
    return desk;
  }

  /** Who owns the bus on the server, on it. */
  public Login serv() {
    return bus.login();
  }

  /** The server's bus. */
  public PrivateBus bus() {
    return bus;
  }

  /** The SSH server of either kind. */
  public RemoteServer ssh() {
    return ssh;
  }

  /** The server's sshd, where it is that one. */
  public PrivateSshd sshd() {
    if (ssh instanceof PrivateSshd sshd) {
      return sshd;
    }
    throw new IllegalStateException("there is another server here");
  }

  /** The server's tpforward-server, where it is that one. */
  public PrivateServer own() {
    if (ssh instanceof PrivateServer own) {
      return own;
    }
    throw new IllegalStateException("there is another server here");
  }

  /** Starts an agent for the server and waits until its bus can be reached. */
  public AgentProcess agent(String... options) {
    return AgentProcess.start(desk, destination(options).toArray(String[]::new));
  }

  /** Options that every agent here needs, the given ones, and the destination. */
  public List<String> destination(String... options) {
    List<String> all = new ArrayList<>(List.of("-F", desk.home() + "/.ssh/config"));
    if (sides == null) {
      // Nothing says where this one is: it is not the user's own session bus.
      all.addAll(List.of("--remote-bus", bus.address()));
    }
    all.addAll(List.of(options));
    all.add("server");
    return all;
  }

  @Override
  public void close() {
    ssh.close();
    bus.close();
    desktop.close();
    server.close();
  }
}
