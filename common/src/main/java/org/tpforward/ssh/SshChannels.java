package org.tpforward.ssh;

import java.io.IOException;
import java.net.InetAddress;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.List;
import org.apache.sshd.client.future.OpenFuture;
import org.apache.sshd.client.session.ClientSession;
import org.apache.sshd.common.session.ConnectionService;
import org.apache.sshd.common.session.Session;
import org.tpforward.relay.Duplex;
import org.tpforward.socket.Endpoint;

/** Opens channels to sockets on the server. */
public final class SshChannels {
  /** OpenSSH's PROTOCOL, section 2.4. */
  static final String DIRECT_STREAMLOCAL = "direct-streamlocal@openssh.com";

  /** RFC 4254, section 7.2. */
  static final String DIRECT_TCPIP = "direct-tcpip";

  private static final int LONGEST_PATH = 107;

  private SshChannels() {}

  /**
   * Opens a channel to a socket on a stock OpenSSH server. Blocks for the server's answer.
   *
   * @param session authenticated
   * @param target a Unix path, or a loopback TCP port, as the server sees it
   * @param timeout how long to wait for the answer; a later one closes the channel again
   * @return the stream; the caller closes it. A read returns -1 only for SSH_MSG_CHANNEL_EOF; a
   *     channel closed without one and a lost session are an IOException, after what was delivered
   *     before them.
   * @throws ChannelOpenFailedException if the server refused
   * @throws IOException if there was no answer, the session is gone, or the target is one that the
   *     server cannot reach: another machine, or an abstract socket
   */
  public static Duplex open(ClientSession session, Endpoint target, Duration timeout)
      throws IOException {
    return open(session, target, timeout, false);
  }

  /**
   * As {@link #open(ClientSession, Endpoint, Duration)}.
   *
   * @param abstractNames whether the server has announced that it knows a path that begins with a
   *     NUL as an abstract socket. OpenSSH does not: it ends the session over one.
   */
  public static Duplex open(
      ClientSession session, Endpoint target, Duration timeout, boolean abstractNames)
      throws IOException {
    return open(session, channelTo(target, abstractNames), timeout);
  }

  /**
   * Begins to open a channel as {@link #open(ClientSession, Endpoint, Duration, boolean)} does, and
   * does not wait.
   *
   * @param opening told of the outcome, unless this throws; perhaps before this returns
   * @throws IOException as there, as far as that is known at once
   */
  public static void begin(
      ClientSession session,
      Endpoint target,
      Duration timeout,
      boolean abstractNames,
      Opening opening)
      throws IOException {
    StreamChannel channel = channelTo(target, abstractNames);
    OpenFuture future;
    try {
      future = request(session, channel);
    } catch (IOException e) {
      channel.dispose();
      throw e;
    }
    OpeningDeadlines.SHARED.add(future, timeout);
    future.addListener(done -> {
      OpeningDeadlines.SHARED.remove(done);
      if (done.isOpened()) {
        opening.opened(new ChannelDuplex(channel));
      } else {
        channel.dispose();
        opening.failed(whyNot(channel, done, timeout));
      }
    });
  }

  private static IOException whyNot(StreamChannel channel, OpenFuture done, Duration timeout) {
    ChannelOpenFailedException refusal = channel.openFailure();
    if (refusal != null) {
      return refusal;
    }
    Throwable problem = done.getException();
    return problem != null ? new IOException(problem.getMessage(), problem) : unanswered(timeout);
  }

  private static IOException unanswered(Duration timeout) {
    return new IOException(
        "the SSH server did not open a channel in " + timeout.toMillis() + " ms");
  }

  private static StreamChannel channelTo(Endpoint target, boolean abstractNames)
      throws IOException {
    return switch (target) {
      case Endpoint.UnixPath(String path) -> {
        if (path.indexOf('\0') >= 0) {
          throw new IOException("a NUL in a socket's path");
        }
        yield streamlocal(path);
      }
      case Endpoint.UnixAbstract(String name) -> {
        if (!abstractNames || name.isEmpty()) {
          throw new IOException("this SSH server cannot reach abstract sockets: unix:@" + name);
        }
        yield streamlocal("\0" + name);
      }
      case Endpoint.Ip ip -> {
        if (!ip.isLoopback() || ip.port() < 1 || ip.port() > 65535) {
          throw new IOException("not a loopback port: " + ip);
        }
        yield tcpip(ip.address(), ip.port());
      }
    };
  }

  private static StreamChannel streamlocal(String path) throws IOException {
    if (path.isEmpty() || path.getBytes(StandardCharsets.UTF_8).length > LONGEST_PATH + 1) {
      throw new IOException("not a socket's path: " + OneLine.of(path, LONGEST_PATH));
    }
    return new StreamChannel(
        DIRECT_STREAMLOCAL,
        body -> {
          body.putString(path);
          body.putString("");
          body.putUInt(0);
        });
  }

  private static StreamChannel tcpip(InetAddress address, int port) {
    return new StreamChannel(
        DIRECT_TCPIP,
        body -> {
          body.putString(address.getHostAddress());
          body.putUInt(port);
          // The originator is on the other machine, and none of the server's business.
          body.putString("127.0.0.1");
          body.putUInt(0);
        });
  }

  /** Opens a channel of any type, from either side of the session. */
  static Duplex open(Session session, StreamChannel channel, Duration timeout) throws IOException {
    boolean opened = false;
    try {
      awaitOpen(session, channel, timeout);
      opened = true;
      return new ChannelDuplex(channel);
    } finally {
      if (!opened) {
        channel.dispose();
      }
    }
  }

  private static void awaitOpen(Session session, StreamChannel channel, Duration timeout)
      throws IOException {
    DebugMessages said = DebugMessages.of(session);
    long mark = said.count();
    OpenFuture opening = request(session, channel);
    boolean answered;
    try {
      answered = opening.await(timeout);
    } catch (IOException e) {
      opening.cancel();
      throw e;
    }
    if (!answered) {
      // If it is opened all the same, MINA closes it.
      opening.cancel();
      throw unanswered(timeout);
    }
    ChannelOpenFailedException refusal = channel.openFailure();
    if (refusal != null) {
      throw withDebugText(refusal, said.since(mark));
    }
    Throwable problem = opening.getException();
    if (problem != null) {
      throw new IOException(problem.getMessage(), problem);
    }
  }

  private static OpenFuture request(Session session, StreamChannel channel) throws IOException {
    try {
      session.getService(ConnectionService.class).registerChannel(channel);
      return channel.open();
    } catch (IllegalStateException e) {
      throw new IOException("the SSH connection is closing", e);
    }
  }

  private static ChannelOpenFailedException withDebugText(
      ChannelOpenFailedException refusal, List<String> texts) {
    if (texts.isEmpty()) {
      return refusal;
    }
    return new ChannelOpenFailedException(
        refusal.code(), refusal.getMessage() + " (" + String.join(" ", texts) + ")");
  }
}
