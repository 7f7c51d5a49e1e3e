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
        yield handle(
            service.getSession(), cancel, RequestedChannel.streamlocal(path), path, wantReply);
      }
      case RemoteListeners.TCPIP_FORWARD -> {
        String host = buffer.getString();
        long port = buffer.getUInt();
        yield handle(
            service.getSession(),
            cancel,
            RequestedChannel.tcp(host, port),
            host + ":" + port,
            wantReply);
      }
      // Not one word of MINA's log for each: no-more-sessions@openssh.com is among them.
      default -> Result.ReplyFailure;
    };
  }

  private Result handle(
      Session session, boolean cancel, @Nullable Endpoint at, String wanted, boolean wantReply)
      throws IOException {
    if (cancel) {
      return at != null && requests.cancel(session, at) ? Result.ReplySuccess : Result.ReplyFailure;
    }
    Endpoint bound;
    try {
      bound = requests.listen(session, at, OneLine.of(wanted.replace('\0', '@'), LONGEST_NAME));
    } catch (IOException e) {
      // A failure has no words of its own (RFC 4254, section 4); OpenSSH says its there too.
      session.sendDebugMessage(true, e.getMessage(), "");
      return Result.ReplyFailure;
    }
    boolean chosen = at instanceof Endpoint.Ip(var _, int port) && port == 0;
    if (wantReply && chosen && bound instanceof Endpoint.Ip ip) {
      Buffer reply = session.createBuffer(SshConstants.SSH_MSG_REQUEST_SUCCESS, Integer.BYTES);
      reply.putUInt(ip.port());
      session.writePacket(reply);
      return Result.Replied;
    }
    return Result.ReplySuccess;
  }
}
