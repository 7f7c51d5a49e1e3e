package org.tpforward.harness;

import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.net.InetAddress;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import org.newsclub.net.unix.AFUNIXSocket;
import org.newsclub.net.unix.AFUNIXSocketAddress;

/**
 * A connection by whoever runs this program: {@code Probe ADDRESS [TEXT]} connects, writes the
 * text, reads until the peer ends and prints one line. ADDRESS is {@code unix:/path}, {@code
 * unix:@abstract} or {@code host:port}.
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
    try (Socket socket = connect(address)) {
      long count = 0;
      try {
        if (!text.isEmpty()) {
          OutputStream out = socket.getOutputStream();
          out.write(text.getBytes(StandardCharsets.UTF_8));
        }
        InputStream in = socket.getInputStream();
        byte[] buffer = new byte[8192];
        for (int n = in.read(buffer); n >= 0; n = in.read(buffer)) {
          count += n;
        }
        return "closed " + count;
      } catch (IOException e) {
        return "reset " + count;
      }
    } catch (IOException e) {
      return "refused " + e.getMessage();
    }
  }

  private static Socket connect(String address) throws IOException {
    if (address.startsWith("unix:@")) {
      return AFUNIXSocket.connectTo(
          AFUNIXSocketAddress.inAbstractNamespace(address.substring("unix:@".length())));
    }
    if (address.startsWith("unix:")) {
      return AFUNIXSocket.connectTo(
          AFUNIXSocketAddress.of(java.nio.file.Path.of(address.substring("unix:".length()))));
    }
    int colon = address.lastIndexOf(':');
    String host = address.substring(0, colon).replaceAll("[\\[\\]]", "");
    return new Socket(InetAddress.getByName(host), Integer.parseInt(address.substring(colon + 1)));
  }
}
