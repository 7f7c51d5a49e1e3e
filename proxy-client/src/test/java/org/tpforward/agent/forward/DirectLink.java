package org.tpforward.agent.forward;

import java.io.Closeable;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.nio.file.Path;
import java.util.List;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;
import org.tpforward.agent.link.ChannelRefusedException;
import org.tpforward.agent.link.Link;
import org.tpforward.agent.link.RemoteSocket;
import org.tpforward.relay.Duplex;
import org.tpforward.socket.Connection;
import org.tpforward.socket.Endpoint;
import org.tpforward.socket.Listener;
import org.tpforward.ssh.Incoming;
import org.tpforward.telepathy.AddressType;

/** A link without SSH: the same machine plays the far end. It listens there too, as sshd does. */
public final class DirectLink implements Link, Closeable {
  private final Path directory;
  private final AtomicInteger opened = new AtomicInteger();
  private final AtomicInteger next = new AtomicInteger();
  private final List<RemoteSocket> listening = new CopyOnWriteArrayList<>();
  private final Set<AddressType> forbidden = ConcurrentHashMap.newKeySet();
  private volatile Runnable beforeListening = () -> {};
  private volatile Abilities abilities = Abilities.OPENSSH;

  /**
   * A link.
   *
   * @param directory where the server's Unix sockets go
   */
  public DirectLink(Path directory) {
    this.directory = directory;
  }

  /** What the server can do from now on. */
  public void abilities(Abilities now) {
    abilities = now;
  }

  /** How many channels were opened. */
  public int opened() {
    return opened.get();
  }

  /** The sockets that listen on the server now. */
  public List<RemoteSocket> listening() {
    return List.copyOf(listening);
  }

  @Override
  public Duplex open(Endpoint target) throws IOException {
    opened.incrementAndGet();
    return Connection.connect(target);
  }

  /** What happens from now on whenever the server is asked to listen. */
  public void beforeListening(Runnable action) {
    beforeListening = action;
  }

  /** The server forbids to listen on that type from now on. */
  public void forbid(AddressType type) {
    forbidden.add(type);
  }

  @Override
  public RemoteSocket listen(AddressType type, Consumer<Incoming> connections) throws IOException {
    beforeListening.run();
    if (forbidden.contains(type)) {
      throw new ChannelRefusedException(
          ChannelRefusedException.Reason.PROHIBITED, "no listener of type " + type);
    }
    Endpoint at =
        type == AddressType.UNIX
            ? new Endpoint.UnixPath(directory.resolve("r" + next.incrementAndGet()).toString())
            : Sockets.anyPort(type);
    Listener listener = Listener.open(at);
    RemoteSocket socket =
        new RemoteSocket() {
          @Override
          public Endpoint endpoint() {
            return listener.endpoint();
          }

          @Override
          public void close() {
            listening.remove(this);
            listener.close();
          }
        };
    listening.add(socket);
    Thread.ofPlatform().daemon().start(() -> acceptAll(listener, connections));
    return socket;
  }

  private static void acceptAll(Listener listener, Consumer<Incoming> connections) {
    try {
      while (true) {
        Connection connection = listener.accept();
        Endpoint.Ip from = connection.remote();
        connections.accept(
            new Held(
                connection,
                from == null ? null : new InetSocketAddress(from.address(), from.port()),
                new AtomicBoolean()));
      }
    } catch (IOException e) {
      // Closed.
    }
  }

  @Override
  public Abilities abilities() {
    return abilities;
  }

  @Override
  public void close() {
    listening.forEach(RemoteSocket::close);
  }

  private record Held(
      Connection connection, @Nullable InetSocketAddress originator, AtomicBoolean answered)
      implements Incoming {
    @Override
    public Duplex accept() throws IOException {
      if (!answered.compareAndSet(false, true)) {
        throw new IOException("answered already");
      }
      return connection;
    }

    @Override
    public void refuse(String why) {
      if (answered.compareAndSet(false, true)) {
        connection.close();
      }
    }
  }
}
