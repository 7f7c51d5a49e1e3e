package org.tpforward.harness;

import java.util.List;
import java.util.stream.Stream;

/** {@code tpforward agent --foreground}, started by the program that a user starts. */
public final class AgentProcess implements AutoCloseable {
  private final Login login;
  private final Proc proc;
  private final String bus;

  private AgentProcess(Login login, Proc proc, String bus) {
    this.login = login;
    this.proc = proc;
    this.bus = bus;
  }

  /**
   * Starts an agent and waits until its bus can be reached.
   *
   * @param arguments options and the destination
   */
  public static AgentProcess start(Login login, String... arguments) {
    Proc proc = launch(login, arguments);
    try {
      String bus = proc.awaitLine("DBUS_SESSION_BUS_ADDRESS='?([^';]+)'?;").group(1);
      proc.awaitLine("TPFORWARD_AGENT_PID");
      return new AgentProcess(login, proc, bus);
    } catch (HarnessException e) {
      proc.close();
      throw e;
    }
  }

  /** Starts an agent and waits for nothing: for one that is not meant to succeed. */
  public static Proc launch(Login login, String... arguments) {
    List<String> all =
        Stream.concat(Stream.of("agent", "--foreground"), Stream.of(arguments)).toList();
    return login.start(login.tpforward(all));
  }

  /** The agent's user, on the agent's bus. */
  public Login client() {
    return login.onBus(bus);
  }

  /** The address of the agent's bus, as it printed it. */
  public String bus() {
    return bus;
  }

  /** The path of the agent's bus socket. */
  public String socket() {
    return bus.substring(bus.indexOf('=') + 1).replaceAll("[,;].*", "");
  }

  /** The program; its output is the agent's log. */
  public Proc proc() {
    return proc;
  }

  /** What {@code tpforward status --json} says. */
  public String status() {
    return login.run(login.tpforward("status", "--json")).ok().out();
  }

  /** How many channels the agent says it has opened, of all kinds; -1 if it does not say. */
  public long channelsOpened() {
    java.util.regex.Matcher matcher =
        java.util.regex.Pattern.compile("\"channelsOpened\"\\s*:\\s*(\\d+)").matcher(status());
    return matcher.find() ? Long.parseLong(matcher.group(1)) : -1;
  }

  @Override
  public void close() {
    proc.close();
  }
}
