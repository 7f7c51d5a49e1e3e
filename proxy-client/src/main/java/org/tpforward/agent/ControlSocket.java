package org.tpforward.agent;

import java.io.IOException;
import java.net.StandardProtocolFamily;
import java.net.UnixDomainSocketAddress;
import java.nio.channels.ClosedChannelException;
import java.nio.channels.ServerSocketChannel;
import java.nio.channels.SocketChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.nio.file.attribute.UserPrincipal;
import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.Semaphore;
import java.util.function.Supplier;
import jdk.net.ExtendedSocketOptions;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Where an agent answers {@code list}, {@code status} and {@code stop}: a Unix socket on which a
 * client of the agent's own uid writes one line and reads one line. Requests are <code>
 * {"request":"status"}</code>, answered by <code>{"status":{…}}</code>, and <code>
 * {"request":"stop"}</code>, answered by <code>{"stopping":PID}</code>; then the connection stays
 * open for as long as the process lives, so that its end tells the client. What else comes is
 * answered by <code>{"error":"…"}</code>.
 *
 * <p>One virtual thread accepts, and each connection has one of its own. A client that is slow, or
 * writes too much, is disconnected; more than a few at once wait to be accepted.
 */
public final class ControlSocket implements AutoCloseable {
  /** For a client to write its line and read the answer. */
  static final Duration PATIENCE = Duration.ofSeconds(5);

  static final int MAX_REQUEST = 1024;

  private static final int MAX_CLIENTS = 8;
  private static final Logger LOG = LoggerFactory.getLogger(ControlSocket.class);

  private final ServerSocketChannel server;
  private final Supplier<AgentStatus> status;
  private final Runnable stop;
  private final Duration patience;
  private final Semaphore places = new Semaphore(MAX_CLIENTS);
  private final Set<SocketChannel> clients = ConcurrentHashMap.newKeySet();

  private ControlSocket(
      ServerSocketChannel server, Supplier<AgentStatus> status, Runnable stop, Duration patience) {
    this.server = server;
    this.status = status;
    this.stop = stop;
    this.patience = patience;
  }

  /**
   * Listens and answers until it is closed.
   *
   * @param socket where nothing is yet, in a directory of the caller's, who removes it
   * @param status asked for each request
   * @param stop called once a client has been told that the agent stops; may block
   */
  public static ControlSocket open(Path socket, Supplier<AgentStatus> status, Runnable stop)
      throws IOException {
    return open(socket, status, stop, PATIENCE);
  }

  static ControlSocket open(
      Path socket, Supplier<AgentStatus> status, Runnable stop, Duration patience)
      throws IOException {
    ServerSocketChannel server = ServerSocketChannel.open(StandardProtocolFamily.UNIX);
    try {
      server.bind(UnixDomainSocketAddress.of(socket));
      Files.setPosixFilePermissions(socket, PosixFilePermissions.fromString("rw-------"));
    } catch (IOException e) {
      server.close();
      throw e;
    }
    ControlSocket control = new ControlSocket(server, status, stop, patience);
    Thread.ofVirtual().name("control").start(control::accept);
    return control;
  }

  private void accept() {
    try {
      while (true) {
        places.acquire();
        SocketChannel client = server.accept();
        clients.add(client);
        Thread.ofVirtual().name("control-client").start(() -> serve(client));
      }
    } catch (ClosedChannelException e) {
      // The end.
    } catch (IOException e) {
      LOG.warn("The control socket failed: list, status and stop do not work any more", e);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  private void serve(SocketChannel client) {
    boolean stopping = false;
    try (Deadline deadline = Deadline.of(client, patience)) {
      if (isOurs(client)) {
        stopping = answer(client);
      }
      if (deadline.expired()) {
        LOG.info("A client of the control socket was too slow");
      }
    } catch (IOException e) {
      LOG.debug("A client of the control socket failed", e);
    } finally {
      clients.remove(client);
      places.release();
      if (!stopping) {
        close(client);
      }
    }
    if (stopping) {
      stop.run();
    }
  }

  private static boolean isOurs(SocketChannel client) throws IOException {
    UserPrincipal peer = client.getOption(ExtendedSocketOptions.SO_PEERCRED).user();
    if (peer.equals(Files.getOwner(Path.of("/proc/self")))) {
      return true;
    }
    LOG.warn("User {} was refused at the control socket", peer.getName());
    return false;
  }

  /** Whether the agent is to stop. */
  private boolean answer(SocketChannel client) throws IOException {
    Json request;
    try {
      request = ControlLine.read(client, MAX_REQUEST);
    } catch (ClosedChannelException e) {
      throw e;
    } catch (IOException e) {
      ControlLine.write(client, object("error", Json.of(e.getMessage())));
      return false;
    }
    String what =
        request instanceof Json.Obj members && members.get("request") instanceof Json.Str(String s)
            ? s
            : "";
    switch (what) {
      case "status" -> ControlLine.write(client, object("status", status.get().toJson()));
      case "stop" -> {
        long pid = ProcessHandle.current().pid();
        ControlLine.write(client, object("stopping", Json.of(pid)));
        return true;
      }
      default -> ControlLine.write(client, object("error", Json.of("no such request")));
    }
    return false;
  }

  private static Json object(String name, Json value) {
    Map<String, Json> members = new LinkedHashMap<>();
    members.put(name, value);
    return new Json.Obj(members);
  }

  /** Whether it listens. */
  public boolean isOpen() {
    return server.isOpen();
  }

  /** Listens no more, and disconnects clients, except for who waits for the agent's end. */
  @Override
  public void close() {
    try {
      server.close();
    } catch (IOException e) {
      LOG.debug("Closing the control socket failed", e);
    }
    clients.forEach(ControlSocket::close);
  }

  private static void close(SocketChannel channel) {
    try {
      channel.close();
    } catch (IOException e) {
      LOG.debug("Closing a client of the control socket failed", e);
    }
  }
}
