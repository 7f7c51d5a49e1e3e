package org.tpforward.bench;

import java.io.IOException;
import java.net.UnixDomainSocketAddress;
import java.nio.channels.SocketChannel;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.tpforward.harness.HarnessException;
import org.tpforward.harness.Login;
import org.tpforward.harness.Proc;

/**
 * {@code ssh -N -L}, one process as the agent is one. Further sockets are asked for over its
 * control socket, which no data passes.
 */
final class SshWay implements Way {
  private final Rig rig;
  private final Login desk;
  private final String host;
  private final String directory;
  private final Proc ssh;
  private final double startSeconds;
  private final Map<String, String> forwarded = new HashMap<>();

  private SshWay(
      Rig rig, Login desk, String host, String directory, Proc ssh, double startSeconds) {
    this.rig = rig;
    this.desk = desk;
    this.host = host;
    this.directory = directory;
    this.ssh = ssh;
    this.startSeconds = startSeconds;
  }

  /**
   * Starts ssh with the bus forwarded and waits until that socket accepts.
   *
   * @param host a name in the rig's ssh configuration
   */
  static SshWay start(Rig rig, String host) {
    Login desk = rig.desk();
    String directory = rig.newDirectory();
    String bus = directory + "/bus";
    long began = System.nanoTime();
    Proc ssh =
        desk.start(
            command(desk, directory, List.of("-N", "-M", "-L", bus + ":" + rig.busSocket(), host)));
    try {
      awaitAccepting(ssh, bus);
    } catch (HarnessException e) {
      ssh.close();
      throw e;
    }
    SshWay way = new SshWay(rig, desk, host, directory, ssh, (System.nanoTime() - began) / 1e9);
    way.forwarded.put(rig.busSocket(), bus);
    return way;
  }

  private static List<String> command(Login desk, String directory, List<String> rest) {
    List<String> command =
        new ArrayList<>(
            List.of("ssh", "-F", desk.home() + "/.ssh/config", "-S", directory + "/control"));
    command.addAll(rest);
    return command;
  }

  private static void awaitAccepting(Proc ssh, String socket) {
    UnixDomainSocketAddress address = UnixDomainSocketAddress.of(Path.of(socket));
    long deadline = System.nanoTime() + Proc.PATIENCE.toNanos();
    while (System.nanoTime() < deadline && ssh.isAlive()) {
      try (SocketChannel _ = SocketChannel.open(address)) {
        return;
      } catch (IOException e) {
        pause();
      }
    }
    throw new HarnessException("ssh does not listen\n" + ssh.said());
  }

  private static void pause() {
    try {
      Thread.sleep(1);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new HarnessException("interrupted", e);
    }
  }

  private String forward(String remote) {
    return forwarded.computeIfAbsent(
        remote,
        r -> {
          String local = directory + "/" + forwarded.size();
          desk.run(command(desk, directory, List.of("-O", "forward", "-L", local + ":" + r, host)))
              .ok();
          return local;
        });
  }

  @Override
  public List<String> incoming(int count, long bytes) {
    return Collections.nCopies(count, forward(rig.source(bytes)));
  }

  @Override
  public List<String> outgoing(int count, long bytes) {
    return Collections.nCopies(count, forward(rig.sink()));
  }

  @Override
  public String echo() {
    return forward(rig.echo());
  }

  @Override
  public String bus() {
    return forward(rig.busSocket());
  }

  @Override
  public double startSeconds() {
    return startSeconds;
  }

  @Override
  public long pid() {
    return ssh.handle().pid();
  }

  @Override
  public void close() {
    ssh.close();
  }
}
