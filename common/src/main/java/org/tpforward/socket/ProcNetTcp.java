package org.tpforward.socket;

import java.io.IOException;
import java.io.InputStreamReader;
import java.io.Reader;
import java.net.InetAddress;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.List;
import java.util.OptionalLong;
import org.jspecify.annotations.Nullable;

/**
 * The kernel's tables of TCP sockets, /proc/net/tcp and /proc/net/tcp6 (proc(5)). After a line of
 * headings, one line for each socket, its fields parted by blanks:
 *
 * <pre>
 *   sl  local_address rem_address   st tx_queue:rx_queue tr:tm->when retrnsmt   uid  timeout inode ...
 *    0: 0100007F:1F90 0100007F:C350 01 00000000:00000000 00:00000000 00000000  1000        0 54321 ...
 * </pre>
 *
 * An address is one (tcp) or four (tcp6) 32-bit words in the machine's byte order, in hexadecimal;
 * the port is the number itself. An IPv4 connection of a socket that was made for IPv6 stands in
 * tcp6 as ::ffff:a.b.c.d.
 */
final class ProcNetTcp {
  private static final List<Path> TABLES =
      List.of(Path.of("/proc/net/tcp"), Path.of("/proc/net/tcp6"));

  /** A line has about 150 characters; 400,000 sockets are more than the ports of loopback allow. */
  private static final int MAX_LINES = 400_000;

  private static final int MAX_LINE_CHARS = 1024;

  /** A socket can be missed when its neighbours in the kernel's hash come and go while we read. */
  private static final int READS = 3;

  private ProcNetTcp() {}

  /**
   * One line of the table.
   *
   * @param local address and port of this socket's own end, IPv4 where it is mapped
   * @param remote address and port of its peer
   * @param state of the kernel's numbers, such as {@link #LISTEN}
   * @param uid who made it
   * @param inode of the open socket; 0 if no process holds it any more
   */
  record Entry(End local, End remote, int state, long uid, long inode) {
    /** {@code TCP_LISTEN}. */
    static final int LISTEN = 10;

    /**
     * Whether the uid means anything. Of a socket that its process has closed already, having
     * written all that it had to say, new kernels keep the uid and older ones show 0: another
     * number is its maker's, and 0 may be anybody's.
     */
    boolean isSomebodys() {
      return inode != 0 || uid != 0;
    }
  }

  /** An address in the form that {@link #canonical} gives, and a port. */
  record End(ByteBuffer address, int port) {
    static End of(Endpoint.Ip ip) {
      return new End(canonical(ip.address().getAddress()), ip.port());
    }

    /** Whether it is bound to all addresses. */
    boolean isWildcard() {
      for (int i = 0; i < address.capacity(); i++) {
        if (address.get(i) != 0) {
          return false;
        }
      }
      return true;
    }
  }

  /** IPv4-mapped IPv6 addresses are IPv4 addresses. */
  private static ByteBuffer canonical(byte[] address) {
    boolean mapped =
        address.length == 16
            && Arrays.equals(address, 0, 10, new byte[10], 0, 10)
            && address[10] == (byte) 0xff
            && address[11] == (byte) 0xff;
    return ByteBuffer.wrap(mapped ? Arrays.copyOfRange(address, 12, 16) : address)
        .asReadOnlyBuffer();
  }

  /**
   * The user whose socket is connected from {@code client} to {@code server}.
   *
   * @return empty if there is none, or none of which the kernel still knows whose it was
   * @throws IOException if the tables cannot be read
   */
  static OptionalLong owner(Endpoint.Ip client, Endpoint.Ip server) throws IOException {
    for (int i = 0; i < READS; i++) {
      for (Path table : TABLES) {
        try (Reader reader =
            new InputStreamReader(Files.newInputStream(table), StandardCharsets.US_ASCII)) {
          OptionalLong owner = owner(reader, client, server, ByteOrder.nativeOrder());
          if (owner.isPresent()) {
            return owner;
          }
        } catch (NoSuchFileException e) {
          // No tcp6 in a kernel without IPv6; without /proc nobody is known.
        }
      }
    }
    return OptionalLong.empty();
  }

  /** All sockets that are bound to that local port, as one reading of both tables shows them. */
  static List<Entry> at(int localPort) throws IOException {
    List<Entry> found = new ArrayList<>();
    for (Path table : TABLES) {
      try (Reader reader =
          new InputStreamReader(Files.newInputStream(table), StandardCharsets.US_ASCII)) {
        Entries entries = new Entries(reader, localPort, ByteOrder.nativeOrder());
        for (Entry entry; (entry = entries.next()) != null; ) {
          if (entry.local.port == localPort) {
            found.add(entry);
          }
        }
      } catch (NoSuchFileException e) {
        // No tcp6 in a kernel without IPv6.
      }
    }
    return found;
  }

  /** Has read the tables once, so that the first client is not kept waiting for classes to load. */
  private static final class Warm {
    static final boolean DONE = warmUp();

    private static boolean warmUp() {
      Endpoint.Ip nobody = new Endpoint.Ip(InetAddress.getLoopbackAddress(), 1);
      try {
        return owner(nobody, nobody).isEmpty();
      } catch (IOException e) {
        return false; // The first client will tell.
      }
    }
  }

  /**
   * To be called before a TCP listener opens: a client may write its few bytes and be gone within a
   * millisecond, and must be known by then.
   */
  static void prepare() {
    boolean _ = Warm.DONE;
  }

  /** The same in one table. */
  static OptionalLong owner(Reader table, Endpoint.Ip client, Endpoint.Ip server, ByteOrder order)
      throws IOException {
    End local = End.of(client);
    End remote = End.of(server);
    Entries entries = new Entries(table, client.port(), order);
    for (Entry entry; (entry = entries.next()) != null; ) {
      if (entry.isSomebodys() && entry.local.equals(local) && entry.remote.equals(remote)) {
        return OptionalLong.of(entry.uid);
      }
    }
    return OptionalLong.empty();
  }

  /** The sockets of one table in whose lines a port occurs. */
  private static final class Entries {
    private final Lines lines;
    private final String port;
    private final ByteOrder order;
    private int read;

    Entries(Reader table, int port, ByteOrder order) {
      this.lines = new Lines(table);
      this.port = ":%04X ".formatted(port);
      this.order = order;
    }

    /** The next one; null at the end. */
    @Nullable Entry next() throws IOException {
      while (read++ < MAX_LINES) {
        String line = lines.next();
        if (line == null) {
          return null;
        }
        // Most lines are others': look closer only where the port occurs.
        Entry entry = line.contains(port) ? parse(line, order) : null;
        if (entry != null) {
          return entry;
        }
      }
      return null;
    }
  }

  /** Lines, of which no more than {@link #MAX_LINE_CHARS} are kept. Not a character at a time. */
  private static final class Lines {
    private final Reader reader;
    private final char[] chars = new char[32 << 10];
    private int from;
    private int to;

    Lines(Reader reader) {
      this.reader = reader;
    }

    /** The next line; null at the end. A last one without its newline is cut off: no line. */
    @Nullable String next() throws IOException {
      StringBuilder line = new StringBuilder(160);
      while (true) {
        if (from == to) {
          from = 0;
          to = Math.max(0, reader.read(chars));
          if (to == 0) {
            return null;
          }
        }
        int end = from;
        while (end < to && chars[end] != '\n') {
          end++;
        }
        int room = MAX_LINE_CHARS - line.length();
        line.append(chars, from, Math.min(room, end - from));
        from = end;
        if (end < to) {
          from++;
          return line.toString();
        }
      }
    }
  }

  /**
   * Parses a line.
   *
   * @return null for the headings, and for whatever is not such a line
   */
  static @Nullable Entry parse(String line, ByteOrder order) {
    String[] fields = line.strip().split("\\s+", 11);
    if (fields.length < 10 || !fields[0].endsWith(":")) {
      return null;
    }
    try {
      return new Entry(
          end(fields[1], order),
          end(fields[2], order),
          HexFormat.fromHexDigits(fields[3]),
          Long.parseLong(fields[7]),
          Long.parseLong(fields[9]));
    } catch (IllegalArgumentException e) {
      return null;
    }
  }

  private static End end(String text, ByteOrder order) {
    int colon = text.indexOf(':');
    if (colon != 8 && colon != 32) {
      throw new IllegalArgumentException("no address: " + text);
    }
    ByteBuffer address = ByteBuffer.wrap(HexFormat.of().parseHex(text, 0, colon));
    if (order == ByteOrder.LITTLE_ENDIAN) {
      for (int i = 0; i < address.capacity(); i += 4) {
        address.putInt(i, Integer.reverseBytes(address.getInt(i)));
      }
    }
    return new End(
        canonical(address.array()), HexFormat.fromHexDigits(text, colon + 1, text.length()));
  }
}
