package org.tpforward.agent;

import java.net.StandardProtocolFamily;
import java.net.UnixDomainSocketAddress;
import java.nio.ByteBuffer;
import java.nio.channels.SocketChannel;
import java.nio.charset.StandardCharsets;

/** Connects to a Unix socket, writes a line, and prints how many bytes come before the end. */
final class ConnectMain {
  private ConnectMain() {}

  public static void main(String[] arguments) throws Exception {
    try (SocketChannel channel = SocketChannel.open(StandardProtocolFamily.UNIX)) {
      channel.connect(UnixDomainSocketAddress.of(arguments[0]));
      try {
        channel.write(ByteBuffer.wrap((arguments[1] + "\n").getBytes(StandardCharsets.UTF_8)));
      } catch (java.io.IOException e) {
        // Disconnected before it could say anything.
      }
      int bytes = 0;
      ByteBuffer buffer = ByteBuffer.allocate(100);
      try {
        while (channel.read(buffer) >= 0) {
          bytes += buffer.position();
          buffer.clear();
        }
      } catch (java.io.IOException e) {
        // A reset, as what was written was not read.
      }
      System.out.println(bytes);
    }
  }
}
