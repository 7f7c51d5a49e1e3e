package org.tpforward.ssh;

import java.io.IOException;
import org.apache.sshd.common.SshConstants;
import org.apache.sshd.common.channel.RequestHandler;
import org.apache.sshd.common.session.ConnectionService;
import org.apache.sshd.common.session.Session;
import org.apache.sshd.common.util.buffer.Buffer;
import org.jspecify.annotations.Nullable;
import org.tpforward.socket.Endpoint;

/**
 * The global requests of a server's clients (RFC 4254, section 4). Listening: {@code
 * streamlocal-forward@openssh.com} and its cancel with {@code string path} (OpenSSH's PROTOCOL,
 * section 2.4); {@code tcpip-forward} and its cancel with {@code string address, uint32 port} (RFC
 * 4254, section 7.1). A keep-alive of whatever name wants an answer, and a refusal is one.
 */
final class GlobalRequests implements RequestHandler<ConnectionService> {
  private static final int LONGEST_NAME = 256;
  private static final String CANCEL = "cancel-";

  private final ServerRequests requests;

  GlobalRequests(ServerRequests requests) {
    this.requests = requests;
  }

  @Override
  public Result process(ConnectionService service, String name, boolean wantReply, Buffer buffer)
      throws Exception {
    boolean cancel = name.startsWith(CANCEL);
    return switch (cancel ? name.substring(CANCEL.length()) : name) {
      case RemoteListeners.STREAMLOCAL_FORWARD -> {
        String path = buffer.getString();
        yield streamlocal(service.getSession(), cancel, path);
      }
      case RemoteListeners.TCPIP_FORWARD -> {
        String host = buffer.getString();
        long port = buffer.getUInt();
        yield tcp(service.getSession(), cancel, host, port, wantReply);
      }
      // Not one word of MINA's log for each: no-more-sessions@openssh.com is among them.
      default -> Result.ReplyFailure;
    };
  }

  private Result tcp(Session session, boolean cancel, String host, long port, boolean wantReply)
      throws IOException {
    Endpoint.Ip at = RequestedChannel.tcp(host, port);
    if (cancel) {
      if (at != null) {
        ListenerNames.of(session).remove(at);
      }
      return cancel(session, at);
    }
    Endpoint bound = listen(session, at, host + ":" + port);
    if (bound == null) {
      return Result.ReplyFailure;
    }
    if (bound instanceof Endpoint.Ip ip) {
      ListenerNames.of(session).put(ip, host);
      if (wantReply && port == 0) {
        Buffer reply = session.createBuffer(SshConstants.SSH_MSG_REQUEST_SUCCESS, Integer.BYTES);
        reply.putUInt(ip.port());
        session.writePacket(reply);
        return Result.Replied;
      }
    }
    return Result.ReplySuccess;
  }

  private Result streamlocal(Session session, boolean cancel, String path) throws IOException {
    Endpoint at = RequestedChannel.streamlocal(path);
    if (cancel) {
      return cancel(session, at);
    }
    return listen(session, at, path) == null ? Result.ReplyFailure : Result.ReplySuccess;
  }

  private Result cancel(Session session, @Nullable Endpoint at) {
    return at != null && requests.cancel(session, at) ? Result.ReplySuccess : Result.ReplyFailure;
  }

  /** Where it listens now; null if it does not, and the client has been told why. */
  private @Nullable Endpoint listen(Session session, @Nullable Endpoint at, String wanted)
      throws IOException {
    try {
      return requests.listen(session, at, OneLine.of(wanted.replace('\0', '@'), LONGEST_NAME));
    } catch (IOException e) {
      // A failure has no words of its own (RFC 4254, section 4); OpenSSH says its there too.
      session.sendDebugMessage(true, e.getMessage(), "");
      return null;
    }
  }
}
