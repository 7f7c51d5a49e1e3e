package org.tpforward.loopback;

import java.io.EOFException;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.SocketChannel;
import java.nio.charset.StandardCharsets;
import java.util.HexFormat;
import java.util.OptionalLong;

/**
 * The server's side of SASL at a D-Bus tube's socket (D-Bus specification, "Authentication
 * Protocol"), as libdbus does it for CMs: EXTERNAL if the kernel says who the peer is and he is the
 * CM's own user, and ANONYMOUS where the access control is Localhost.
 *
 * <p>It reads byte by byte, so what comes after BEGIN is left in the socket.
 */
final class TubeSasl {
  private static final int LONGEST_LINE = 1024;
  private static final int MOST_LINES = 20;

  private final SocketChannel channel;
  private final boolean external;
  private final boolean anonymous;
  private final long uid;
  private final ByteBuffer one = ByteBuffer.allocate(1);

  /**
   * Prepares to let one client in.
   *
   * @param peer who the kernel says it is; empty if it does not say
   * @param own the only uid that may use EXTERNAL
   */
  TubeSasl(SocketChannel channel, OptionalLong peer, long own, boolean anonymous) {
    this.channel = channel;
    this.external = peer.isPresent() && peer.getAsLong() == own;
    this.anonymous = anonymous;
    this.uid = own;
  }

  /**
   * Lets the client in.
   *
   * @throws IOException if it is not who it must be, or does not keep to the protocol
   */
  void run() throws IOException {
    if (octet() != 0) {
      throw new IOException("the first byte is not NUL");
    }
    boolean in = false;
    boolean wantsData = false;
    for (int i = 0; i < MOST_LINES; i++) {
      String line = line();
      if (line.equals("BEGIN") && in) {
        return;
      }
      if (in && line.equals("NEGOTIATE_UNIX_FD")) {
        send("ERROR");
      } else if (line.equals("AUTH EXTERNAL") && external) {
        wantsData = true;
        send("DATA");
      } else if (wantsData && (line.equals("DATA") || line.startsWith("DATA "))) {
        wantsData = false;
        in = answer(isOwn(line.substring(4).strip()));
      } else if (line.startsWith("AUTH EXTERNAL ") && external) {
        in = answer(isOwn(line.substring("AUTH EXTERNAL ".length())));
      } else if (line.equals("AUTH ANONYMOUS") || line.startsWith("AUTH ANONYMOUS ")) {
        in = answer(anonymous);
      } else if (line.startsWith("AUTH") || line.equals("CANCEL") || line.startsWith("ERROR")) {
        in = answer(false);
      } else {
        send("ERROR");
      }
    }
    throw new IOException("not authenticated after " + MOST_LINES + " lines");
  }

  private boolean answer(boolean yes) throws IOException {
    send(
        yes
            ? "OK 0123456789abcdef0123456789abcdef"
            : "REJECTED" + (external ? " EXTERNAL" : "") + (anonymous ? " ANONYMOUS" : ""));
    return yes;
  }

  /** An empty identity means whoever the kernel says. */
  private boolean isOwn(String hex) {
    try {
      String identity = new String(HexFormat.of().parseHex(hex), StandardCharsets.US_ASCII);
      return identity.isEmpty() || identity.equals(Long.toString(uid));
    } catch (IllegalArgumentException e) {
      return false;
    }
  }

  private String line() throws IOException {
    StringBuilder line = new StringBuilder();
    while (line.length() < LONGEST_LINE) {
      int octet = octet();
      if (octet == '\n' && !line.isEmpty() && line.charAt(line.length() - 1) == '\r') {
        return line.substring(0, line.length() - 1);
      }
      line.append((char) octet);
    }
    throw new IOException("a line of SASL without an end");
  }

  private int octet() throws IOException {
    one.clear();
    if (channel.read(one) < 0) {
      throw new EOFException("it ended while it was to say who it is");
    }
    return one.get(0) & 0xff;
  }

  private void send(String line) throws IOException {
    ByteBuffer bytes = ByteBuffer.wrap((line + "\r\n").getBytes(StandardCharsets.US_ASCII));
    while (bytes.hasRemaining()) {
      channel.write(bytes);
    }
  }
}
