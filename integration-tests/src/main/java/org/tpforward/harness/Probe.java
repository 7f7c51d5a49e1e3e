package org.tpforward.harness;

import java.io.IOException;
import java.net.InetSocketAddress;
import java.net.SocketAddress;
import java.net.StandardProtocolFamily;
import java.net.UnixDomainSocketAddress;
import java.nio.ByteBuffer;
import java.nio.channels.SocketChannel;
import java.nio.charset.StandardCharsets;

/**
 * A connection by whoever runs this program: {@code Probe ADDRESS [TEXT]} connects, writes the
 * text, reads until the peer ends and prints one line. ADDRESS is {@code unix:/path} or {@code
 * host:port}.
 *
 * <pre>
 * closed N   connected; the peer closed after N bytes
 * reset N    connected; the peer reset the connection after N bytes
 * refused    no connection: the reason follows
 * </pre>
 */
public final class Probe {
  private Probe() {}

  /** Runs the program. */
  public static void main(String[] arguments) {
    System.out.println(probe(arguments[0], arguments.length > 1 ? arguments[1] : ""));
  }

  private static String probe(String address, String text) {
    try (SocketChannel channel = open(address)) {
      System.out.println("connected");
      long count = 0;
      try {
        if (!text.isEmpty()) {
          channel.write(ByteBuffer.wrap(text.getBytes(StandardCharsets.UTF_8)));
        }
        ByteBuffer buffer = ByteBuffer.allocate(8192);
        for (int n = channel.read(buffer); n >= 0; n = channel.read(buffer)) {
          count += n;
          buffer.clear();
        }
        return "closed " + count;
      } catch (IOException e) {
        return "reset " + count;
      }
    } catch (IOException e) {
      return "refused " + e.getMessage();
    }
  }

  private static SocketChannel open(String address) throws IOException {
    if (address.startsWith("unix:")) {
      return connect(StandardProtocolFamily.UNIX, UnixDomainSocketAddress.of(address.substring(5)));
    }
    int colon = address.lastIndexOf(':');
    String host = address.substring(0, colon).replaceAll("[\\[\\]]", "");
    int port = Integer.parseInt(address.substring(colon + 1));
    return connect(
        host.indexOf(':') < 0 ? StandardProtocolFamily.INET : StandardProtocolFamily.INET6,
        new InetSocketAddress(host, port));
  }

  private static SocketChannel connect(StandardProtocolFamily family, SocketAddress address)
      throws IOException {
    SocketChannel channel = SocketChannel.open(family);
    try {
      channel.connect(address);
      return channel;
    } catch (IOException e) {
      channel.close();
      throw e;
    }
  }
}
