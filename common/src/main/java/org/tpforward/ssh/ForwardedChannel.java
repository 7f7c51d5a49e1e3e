package org.tpforward.ssh;

import java.net.InetSocketAddress;
import org.apache.sshd.common.SshConstants;
import org.apache.sshd.common.channel.ChannelFactory;
import org.apache.sshd.common.util.buffer.Buffer;

/**
 * A channel that the server opens because somebody connected to a {@link RemoteListener}. OpenSSH's
 * PROTOCOL, section 2.4, for streamlocal: {@code string path, string reserved}. RFC 4254, section
 * 7.2, for TCP: {@code string address, uint32 port, string originator, uint32 originator's port}.
 */
final class ForwardedChannel extends UnansweredChannel {
  private ForwardedChannel(String type) {
    super(type);
  }

  /** Makes these channels for a client. */
  static ChannelFactory factory(String type) {
    return factory(type, ForwardedChannel::new);
  }

  @Override
  void asked(Buffer body) {
    String place;
    InetSocketAddress originator = null;
    if (getChannelType().equals(RemoteListeners.FORWARDED_STREAMLOCAL)) {
      place = RemoteListeners.placeOf(body.getString());
    } else {
      place = RemoteListeners.placeOf(body.getString(), body.getUInt());
      originator = Originators.parse(body.getString(), body.getUInt());
    }
    RemoteListener listener = RemoteListeners.of(getSession()).at(place);
    if (listener == null) {
      refuse(SshConstants.SSH_OPEN_ADMINISTRATIVELY_PROHIBITED, "nobody asked for it");
      return;
    }
    listener.offer(this, originator);
  }
}
