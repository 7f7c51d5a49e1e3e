package org.tpforward.bench;

import java.io.IOException;
import java.net.UnixDomainSocketAddress;
import java.nio.channels.SocketChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.tpforward.dbus.BusConnection;
import org.tpforward.dbus.DBusErrorException;
import org.tpforward.dbus.Value;
import org.tpforward.harness.AgentProcess;
import org.tpforward.harness.HarnessException;
import org.tpforward.harness.Proc;
import org.tpforward.telepathy.Names;

/** {@code bin/tpforward agent}, and a client on its bus that accepts files and tubes. */
final class AgentWay implements Way {
  private static final Duration PATIENCE = Duration.ofSeconds(30);

  private final Rig rig;
  private final AgentProcess agent;
  private final BusConnection client;
  private final double startSeconds;
  private final List<String> files = new ArrayList<>();
  private @Nullable String echo;

  private AgentWay(Rig rig, AgentProcess agent, BusConnection client, double startSeconds) {
    this.rig = rig;
    this.agent = agent;
    this.client = client;
    this.startSeconds = startSeconds;
  }

  /**
   * Starts an agent, and waits until a client has its unique name. The environment's
   * TPFORWARD_JAVA_OPTS is the agent's too.
   *
   * @param host a name in the rig's ssh configuration
   */
  static AgentWay start(Rig rig, String host) {
    return start(rig, host, System.getenv().getOrDefault("TPFORWARD_JAVA_OPTS", ""));
  }

  /**
   * As {@link #start(Rig, String)}.
   *
   * @param jvmOptions further ones, separated by spaces
   */
  static AgentWay start(Rig rig, String host, String jvmOptions) {
    long began = System.nanoTime();
    AgentProcess agent =
        AgentProcess.start(
            rig.desk().with("TPFORWARD_JAVA_OPTS", jvmOptions),
            "-F",
            rig.desk().home() + "/.ssh/config",
            "--remote-bus",
            "unix:path=" + rig.busSocket(),
            host);
    try {
      UnixDomainSocketAddress bus = UnixDomainSocketAddress.of(Path.of(agent.socket()));
      BusConnection client = BusConnection.open(SocketChannel.open(bus), PATIENCE);
      return new AgentWay(rig, agent, client, (System.nanoTime() - began) / 1e9);
    } catch (IOException e) {
      agent.close();
      throw new HarnessException("the agent's bus cannot be used", e);
    }
  }

  @Override
  public List<String> incoming(int count, long bytes) {
    return files(count, rig.source(bytes), bytes, "AcceptFile", Value.t(0));
  }

  @Override
  public List<String> outgoing(int count, long bytes) {
    return files(count, rig.sink(), bytes, "ProvideFile");
  }

  private List<String> files(int count, String remote, long bytes, String member, Value... more) {
    files.forEach(rig.cm()::close);
    files.clear();
    List<String> sockets = new ArrayList<>();
    for (int i = 0; i < count; i++) {
      String channel = rig.cm().channel(remote, bytes);
      files.add(channel);
      sockets.add(accept(channel, Names.FILE_TRANSFER, member, more));
    }
    return sockets;
  }

  @Override
  public String echo() {
    String known = echo;
    if (known == null) {
      known = accept(rig.cm().channel(rig.echo(), 0), Names.STREAM_TUBE, "Accept");
      echo = known;
    }
    return known;
  }

  /** Calls a crossing that asks for a Unix socket with Localhost: its path. */
  private String accept(String channel, String interfaceName, String member, Value... more) {
    List<Value> arguments = new ArrayList<>(List.of(Value.u(0), Value.u(0)));
    arguments.add(new Value.Variant(Value.u(0)));
    arguments.addAll(List.of(more));
    try {
      Value reply =
          client
              .call(
                  rig.cm().name(),
                  channel,
                  interfaceName,
                  member,
                  PATIENCE,
                  arguments.toArray(Value[]::new))
              .getFirst();
      if (reply instanceof Value.Variant(Value.Bytes(byte[] path))) {
        return new String(path, StandardCharsets.UTF_8);
      }
      throw new HarnessException(member + " gave " + reply);
    } catch (IOException | DBusErrorException e) {
      throw new HarnessException(member + " failed\n" + agent.proc().said(), e);
    }
  }

  @Override
  public String bus() {
    return agent.socket();
  }

  @Override
  public double startSeconds() {
    return startSeconds;
  }

  @Override
  public long pid() {
    return agent.proc().handle().pid();
  }

  /** The agent's program, to be looked into. */
  Proc proc() {
    return agent.proc();
  }

  @Override
  public void close() {
    client.close();
    agent.close();
  }
}
