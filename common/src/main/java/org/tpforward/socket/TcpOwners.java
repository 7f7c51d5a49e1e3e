package org.tpforward.socket;

import java.io.BufferedReader;
import java.io.IOException;
import java.net.InetAddress;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.HexFormat;
import java.util.List;

/**
 * Who owns a loopback TCP socket, from {@code /proc/net/tcp} and {@code tcp6} (proc(5)). A
 * connection has two entries, one for each end; the connecting end's is the one whose local address
 * is our peer.
 *
 * <p>A line: {@code sl local_address rem_address st tx_queue:rx_queue tr:tm->when retrnsmt uid
 * timeout inode …}; an address is the kernel's 32-bit words in the machine's byte order, in
 * hexadecimal, then the port.
 */
final class TcpOwners {
  private static final List<Path> TABLES =
      List.of(Path.of("/proc/self/net/tcp"), Path.of("/proc/self/net/tcp6"));

  private TcpOwners() {}

  /**
   * Finds the owner of one end of a connection.
   *
   * @param peer the address of the socket asked for
   * @param here the address that it is connected to
   * @return its owner's uid, or {@link PeerCredentials#NOBODY}
   */
  static long ownerOf(Endpoint.Ip peer, Endpoint.Ip here) throws IOException {
    for (Path table : TABLES) {
      try (BufferedReader lines = Files.newBufferedReader(table, StandardCharsets.US_ASCII)) {
        for (String line; (line = lines.readLine()) != null; ) {
          long uid = ownerIn(line, peer, here);
          if (uid != PeerCredentials.NOBODY) {
            return uid;
          }
        }
      } catch (NoSuchFileException e) {
        // A kernel without IPv6.
      }
    }
    return PeerCredentials.NOBODY;
  }

  /** The owner if the line is the one for that socket, else NOBODY. */
  static long ownerIn(String line, Endpoint.Ip peer, Endpoint.Ip here) {
    String[] fields = line.strip().split("\\s+", 11);
    if (fields.length < 10
        || !matches(fields[1], peer)
        || !matches(fields[2], here)
        // A socket without an inode has been closed, and older kernels show its uid as 0.
        || fields[9].equals("0")) {
      return PeerCredentials.NOBODY;
    }
    try {
      return Long.parseLong(fields[7]);
    } catch (NumberFormatException e) {
      return PeerCredentials.NOBODY;
    }
  }

  private static boolean matches(String field, Endpoint.Ip endpoint) {
    int colon = field.indexOf(':');
    if (colon != 8 && colon != 32) {
      return false;
    }
    try {
      return Integer.parseInt(field, colon + 1, field.length(), 16) == endpoint.port()
          && address(field.substring(0, colon)).equals(endpoint.address());
    } catch (IllegalArgumentException | IOException e) {
      return false; // The heading.
    }
  }

  private static InetAddress address(String hex) throws IOException {
    byte[] bytes = HexFormat.of().parseHex(hex);
    if (java.nio.ByteOrder.nativeOrder() == java.nio.ByteOrder.LITTLE_ENDIAN) {
      for (int word = 0; word < bytes.length; word += 4) {
        byte b0 = bytes[word];
        byte b1 = bytes[word + 1];
        bytes[word] = bytes[word + 3];
        bytes[word + 1] = bytes[word + 2];
        bytes[word + 2] = b1;
        bytes[word + 3] = b0;
      }
    }
    return InetAddress.getByAddress(bytes); // ::ffff:127.0.0.1 becomes 127.0.0.1 here.
  }
}
