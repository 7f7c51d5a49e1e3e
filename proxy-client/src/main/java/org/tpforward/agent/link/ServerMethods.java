package org.tpforward.agent.link;

import java.util.List;
import org.apache.sshd.client.session.ClientUserAuthService;
import org.apache.sshd.client.session.ClientUserAuthServiceFactory;
import org.apache.sshd.common.Service;
import org.apache.sshd.common.SshConstants;
import org.apache.sshd.common.session.Session;
import org.apache.sshd.common.util.buffer.Buffer;

/** Notes which methods of authentication the server would go on with (RFC 4252, section 5.1). */
final class ServerMethods extends ClientUserAuthServiceFactory {
  private volatile List<String> methods = List.of();
  private volatile boolean partial;

  /** As in the server's last refusal; empty before one. */
  List<String> methods() {
    return methods;
  }

  /** Whether the last step succeeded, and the server wanted another one. */
  boolean partial() {
    return partial;
  }

  @Override
  public Service create(Session session) {
    return new ClientUserAuthService(session) {
      @Override
      public void process(int command, Buffer buffer) throws Exception {
        if (command == SshConstants.SSH_MSG_USERAUTH_FAILURE) {
          int start = buffer.rpos();
          methods = List.of(OneLine.of(buffer.getString(), 200).split(",", -1));
          partial = buffer.getBoolean();
          buffer.rpos(start);
        }
        super.process(command, buffer);
      }
    };
  }
}
