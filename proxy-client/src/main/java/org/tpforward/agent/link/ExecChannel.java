package org.tpforward.agent.link;

import java.io.IOException;
import java.time.Duration;
import java.util.Map;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import org.apache.sshd.client.channel.ChannelExec;
import org.jspecify.annotations.Nullable;

/** A channel for one command (RFC 4254, section 6.5), which notices that the server refuses. */
final class ExecChannel extends ChannelExec {
  private final CountDownLatch ended = new CountDownLatch(1);
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

  /**
   * Waits for SSH_MSG_CHANNEL_CLOSE or the end of the session. MINA's own event may come later,
   * once its streams have been closed too.
   */
  boolean awaitEnd(Duration bound) throws InterruptedException {
    return ended.await(bound.toMillis(), TimeUnit.MILLISECONDS);
  }

  @Override
  public void handleClose() throws IOException {
    try {
      super.handleClose();
    } finally {
      ended.countDown();
    }
  }

  @Override
  protected void preClose() {
    ended.countDown();
    super.preClose();
  }

  @Override
  public void handleFailure() throws IOException {
    refused = true;
    close(false);
  }
}
