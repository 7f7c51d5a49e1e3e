package org.tpforward.ssh;

import java.io.IOException;
import java.net.InetSocketAddress;
import org.apache.sshd.common.SshConstants;
import org.jspecify.annotations.Nullable;
import org.tpforward.relay.Duplex;

/** A connection that waits in the shape of an unconfirmed channel. */
record ForwardedIncoming(ForwardedChannel channel, @Nullable InetSocketAddress originator)
    implements Incoming {
  @Override
  public Duplex accept() throws IOException {
    return channel.accept();
  }

  @Override
  public void refuse(String why) {
    channel.refuse(SshConstants.SSH_OPEN_ADMINISTRATIVELY_PROHIBITED, why);
  }
}
