package org.tpforward.ssh;

import java.net.InetAddress;
import org.apache.sshd.common.channel.ChannelFactory;
import org.apache.sshd.common.util.buffer.Buffer;
import org.jspecify.annotations.Nullable;
import org.tpforward.socket.Endpoint;

/**
 * A channel that a client asks this server for. OpenSSH's PROTOCOL, section 2.4, for streamlocal:
 * {@code string path, string reserved, uint32 reserved}. RFC 4254, section 7.2, for TCP: {@code
 * string host, uint32 port, string originator, uint32 originator's port}. Other types have no
 * target.
 */
final class RequestedChannel extends UnansweredChannel {
  private static final int LONGEST_NAME = 256;

  private final ServerRequests requests;

  private RequestedChannel(String type, ServerRequests requests) {
    super(type);
    this.requests = requests;
  }

  /** Makes these channels for a server. */
  static ChannelFactory factory(String type, ServerRequests requests) {
    return factory(type, wanted -> new RequestedChannel(wanted, requests));
  }

  @Override
  void asked(Buffer body) {
    String wanted = "";
    Endpoint target = null;
    if (getChannelType().equals(SshChannels.DIRECT_STREAMLOCAL)) {
      wanted = body.getString();
      target = streamlocal(wanted);
    } else if (getChannelType().equals(SshChannels.DIRECT_TCPIP)) {
      String host = body.getString();
      long port = body.getUInt();
      target = tcp(host, port);
      wanted = host + ":" + port;
    }
    requests.open(
        getSession(),
        new ServerRequests.Request(
            getChannelType(), OneLine.of(wanted.replace('\0', '@'), LONGEST_NAME), target),
        incoming(null));
  }

  /** A path, or an abstract name behind a NUL; null for what is neither. */
  static @Nullable Endpoint streamlocal(String path) {
    if (path.startsWith("/") && path.indexOf('\0') < 0) {
      return new Endpoint.UnixPath(path);
    }
    if (path.length() > 1 && path.lastIndexOf('\0') == 0) {
      return new Endpoint.UnixAbstract(path.substring(1));
    }
    return null;
  }

  /** Literal addresses and localhost only: nothing is looked up. */
  static Endpoint.@Nullable Ip tcp(String host, long port) {
    if (port > 65535) {
      return null;
    }
    try {
      InetAddress address = InetAddress.ofLiteral(host.equals("localhost") ? "127.0.0.1" : host);
      return new Endpoint.Ip(address, (int) port);
    } catch (IllegalArgumentException e) {
      return null;
    }
  }
}
