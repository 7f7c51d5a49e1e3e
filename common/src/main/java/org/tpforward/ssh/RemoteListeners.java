package org.tpforward.ssh;

import java.io.IOException;
import java.io.InterruptedIOException;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.function.Consumer;
import org.apache.sshd.client.session.ClientSession;
import org.apache.sshd.common.AttributeRepository.AttributeKey;
import org.apache.sshd.common.SshConstants;
import org.apache.sshd.common.future.CloseFuture;
import org.apache.sshd.common.future.SshFutureListener;
import org.apache.sshd.common.session.Session;
import org.apache.sshd.common.util.buffer.Buffer;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.tpforward.socket.Endpoint;

/** The remote listeners of one session. */
public final class RemoteListeners {
  /** OpenSSH's PROTOCOL, section 2.4. */
  static final String FORWARDED_STREAMLOCAL = "forwarded-streamlocal@openssh.com";

  /** RFC 4254, section 7.2. */
  static final String FORWARDED_TCPIP = "forwarded-tcpip";

  /** The same place. */
  static final String STREAMLOCAL_FORWARD = "streamlocal-forward@openssh.com";

  /** RFC 4254, section 7.1. */
  static final String TCPIP_FORWARD = "tcpip-forward";

  private static final Logger LOG = LoggerFactory.getLogger(RemoteListeners.class);
  private static final AttributeKey<RemoteListeners> KEY = new AttributeKey<>();
  private static final int LONGEST_PATH = 107;

  private final Session session;
  private final Map<String, RemoteListener> listeners = new ConcurrentHashMap<>();

  private RemoteListeners(Session session) {
    this.session = session;
  }

  static RemoteListeners of(Session session) {
    return session.computeAttributeIfAbsent(KEY, key -> new RemoteListeners(session));
  }

  /**
   * Has the server listen. Blocks for its answer.
   *
   * @param session authenticated, of a client that {@link SshClients} made
   * @param at a Unix path where nothing is yet, in a directory that only the right users may enter;
   *     or a loopback address with a port, 0 for one that the server chooses
   * @param timeout how long to wait for the answer; a later one is taken back
   * @param consumer gets each connection, on the session's reading thread: it must hand on and
   *     return, and never wait
   * @return the listener; the caller closes it
   * @throws ListenRefusedException if the server refused
   * @throws IOException if there was no answer, the session is gone, or the server cannot listen
   *     there: another machine's address, or an abstract socket
   */
  public static RemoteListener listen(
      ClientSession session, Endpoint at, Duration timeout, Consumer<Incoming> consumer)
      throws IOException {
    return of(session).listen(at, timeout, consumer);
  }

  static String placeOf(String path) {
    return "unix:" + path;
  }

  static String placeOf(String address, long port) {
    return port + " " + address;
  }

  @Nullable RemoteListener at(String place) {
    return listeners.get(place);
  }

  private RemoteListener listen(Endpoint at, Duration timeout, Consumer<Incoming> consumer)
      throws IOException {
    Buffer request = request(requestName(at), true, at);
    DebugMessages said = DebugMessages.of(session);
    long mark = said.count();
    CompletableFuture<RemoteListener> answer = new CompletableFuture<>();
    SshFutureListener<CloseFuture> onClose =
        closed -> answer.completeExceptionally(new IOException("the SSH connection was lost"));
    session.addCloseFutureListener(onClose);
    try {
      session
          .request(
              request,
              requestName(at),
              (command, reply) -> answered(at, consumer, answer, command, reply))
          .addListener(sent -> {
            Throwable problem = sent.getException();
            if (problem != null) {
              answer.completeExceptionally(problem);
            }
          });
      return answer.get(timeout.toNanos(), TimeUnit.NANOSECONDS);
    } catch (ExecutionException e) {
      if (e.getCause() instanceof ListenRefusedException) {
        throw refusal(at, said.since(mark));
      }
      throw new IOException("the server was asked in vain to listen at " + at, e.getCause());
    } catch (TimeoutException e) {
      throw abandon(answer, new IOException("the server did not answer whether it listens", e));
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw abandon(answer, new InterruptedIOException("interrupted while asking to listen"));
    } finally {
      session.removeCloseFutureListener(onClose);
    }
  }

  /** A success that comes all the same is taken back by {@link #answered}. */
  private static IOException abandon(CompletableFuture<RemoteListener> answer, IOException why) {
    if (!answer.completeExceptionally(why) && !answer.isCompletedExceptionally()) {
      answer.join().close();
    }
    return why;
  }

  /** On the reading thread, before a channel of the new listener can arrive. */
  private void answered(
      Endpoint at,
      Consumer<Incoming> consumer,
      CompletableFuture<RemoteListener> answer,
      int command,
      Buffer reply) {
    if (command != SshConstants.SSH_MSG_REQUEST_SUCCESS) {
      answer.completeExceptionally(new ListenRefusedException("refused"));
      return;
    }
    Endpoint bound = at;
    if (at instanceof Endpoint.Ip ip && ip.port() == 0) {
      long port = reply.available() >= Integer.BYTES ? reply.getUInt() : 0;
      if (port < 1 || port > 65535) {
        answer.completeExceptionally(new IOException("the server did not say on which port"));
        return;
      }
      bound = new Endpoint.Ip(ip.address(), (int) port);
    }
    String place = placeOf(bound);
    RemoteListener listener = new RemoteListener(this, bound, place, consumer);
    listeners.put(place, listener);
    if (!answer.complete(listener)) {
      listener.close();
    }
  }

  private static ListenRefusedException refusal(Endpoint at, List<String> texts) {
    String said = texts.isEmpty() ? "" : " (" + String.join(" ", texts) + ")";
    return new ListenRefusedException("the server refused to listen at " + at + said);
  }

  void cancel(String place, RemoteListener listener) {
    if (!listeners.remove(place, listener) || !session.isOpen()) {
      return;
    }
    Endpoint at = listener.endpoint();
    String name = "cancel-" + requestName(at);
    try {
      session.request(request(name, false, at), name, (command, reply) -> {});
    } catch (IOException e) {
      // The session is gone, and the listener with it.
      LOG.debug("cancelling the listener at {} failed", at, e);
    }
  }

  private static String placeOf(Endpoint at) {
    return switch (at) {
      case Endpoint.UnixPath(String path) -> placeOf(path);
      case Endpoint.UnixAbstract(String name) -> placeOf("\0" + name);
      case Endpoint.Ip ip -> placeOf(ip.address().getHostAddress(), ip.port());
    };
  }

  private static String requestName(Endpoint at) {
    return at instanceof Endpoint.Ip ? TCPIP_FORWARD : STREAMLOCAL_FORWARD;
  }

  private Buffer request(String name, boolean wantReply, Endpoint at) throws IOException {
    Buffer buffer = session.createBuffer(SshConstants.SSH_MSG_GLOBAL_REQUEST, 256);
    buffer.putString(name);
    buffer.putBoolean(wantReply);
    switch (at) {
      case Endpoint.UnixPath(String path) -> {
        if (path.isEmpty()
            || path.indexOf('\0') >= 0
            || path.getBytes(StandardCharsets.UTF_8).length > LONGEST_PATH) {
          throw new IOException("not a socket's path: " + OneLine.of(path, LONGEST_PATH));
        }
        buffer.putString(path);
      }
      case Endpoint.UnixAbstract abstractName ->
          throw new IOException("this SSH server cannot listen at " + abstractName);
      case Endpoint.Ip ip -> {
        if (!ip.isLoopback()) {
          throw new IOException("not a loopback address: " + ip);
        }
        buffer.putString(ip.address().getHostAddress());
        buffer.putUInt(ip.port());
      }
    }
    return buffer;
  }
}
