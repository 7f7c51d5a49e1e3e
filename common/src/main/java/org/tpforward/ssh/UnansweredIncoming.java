package org.tpforward.ssh;

import java.io.IOException;
import java.net.InetSocketAddress;
import org.jspecify.annotations.Nullable;
import org.tpforward.relay.Duplex;

/** A connection that waits in the shape of an unconfirmed channel. */
record UnansweredIncoming(UnansweredChannel channel, @Nullable InetSocketAddress originator)
    implements Incoming {
  @Override
  public Duplex accept() throws IOException {
    return channel.accept();
  }

  @Override
  public void refuse(int code, String why) {
    channel.refuse(code, why);
  }
}
