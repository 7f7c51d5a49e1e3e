package org.tpforward.agent.link;

import java.io.IOException;
import java.util.Map;
import org.apache.sshd.client.channel.ChannelExec;
import org.jspecify.annotations.Nullable;

/** A channel for one command (RFC 4254, section 6.5), which notices that the server refuses. */
final class ExecChannel extends ChannelExec {
  private volatile boolean refused;

  ExecChannel(String command) {
    super(
        command,
        (org.apache.sshd.common.channel.@Nullable PtyChannelConfigurationHolder) null,
        Map.of());
  }

  /** Whether the server answered the request with SSH_MSG_CHANNEL_FAILURE. */
  boolean refused() {
    return refused;
  }

  @Override
  public void handleFailure() throws IOException {
    refused = true;
    close(true);
  }
}
