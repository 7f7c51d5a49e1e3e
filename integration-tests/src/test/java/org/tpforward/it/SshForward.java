package org.tpforward.it;

import java.nio.file.Files;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.atomic.AtomicInteger;
import org.tpforward.harness.HarnessException;
import org.tpforward.harness.Login;
import org.tpforward.harness.Proc;

/**
 * OpenSSH's client, with a local socket for a path of the server: {@code ssh -N -L}. Ends with its
 * caller.
 */
final class SshForward implements AutoCloseable {
  private static final AtomicInteger COUNT = new AtomicInteger();

  private final Login desk;
  private final String socket;
  private final Proc proc;

  /**
   * Starts it, and waits until it is connected and listens.
   *
   * @param path the server's
   * @param options more of ssh's
   */
  SshForward(Login desk, String path, String... options) {
    this.desk = desk;
    this.socket = desk.home() + "/forward-" + COUNT.incrementAndGet();
    List<String> arguments = new ArrayList<>(List.of("-v", "-N", "-L", socket + ":" + path));
    arguments.addAll(List.of(options));
    arguments.add("server");
    proc = desk.start(command(arguments.toArray(String[]::new)));
    try {
      proc.awaitLine("Local connections to .*forwarded to remote|Entering interactive session");
      Eventually.holds(() -> Files.exists(desk.place().path(socket)), there -> there);
    } catch (HarnessException e) {
      proc.close();
      throw e;
    }
  }

  /** The command line of ssh, which asks nobody anything. */
  static List<String> command(String... arguments) {
    List<String> command = new ArrayList<>(List.of("ssh", "-F", ".ssh/config"));
    command.addAll(List.of("-o", "BatchMode=yes", "-o", "ExitOnForwardFailure=yes"));
    command.addAll(List.of(arguments));
    return command;
  }

  /** The local socket. */
  String socket() {
    return socket;
  }

  /** The user, on the bus that is forwarded. */
  Login bus() {
    return desk.onBus("unix:path=" + socket);
  }

  /** Connects, says {@code hello}, and hands back what came in Python's words; b'' for an end. */
  String hello() {
    String script =
        """
        import socket, sys
        s = socket.socket(socket.AF_UNIX)
        s.connect(sys.argv[1])
        try:
            s.sendall(b'hello')
            print(s.recv(100))
        except (ConnectionResetError, BrokenPipeError): print(b'')
        """;
    return desk.run("python3", "-c", script, socket).ok().out().strip();
  }

  @Override
  public void close() {
    proc.close();
  }
}
