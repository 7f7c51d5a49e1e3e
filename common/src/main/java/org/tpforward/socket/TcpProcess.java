package org.tpforward.socket;

import java.io.IOException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.function.Predicate;

/**
 * Whether a certain process is at the other end of a loopback TCP connection. TCP has no peer
 * credentials: the kernel's table of sockets names the inode, and /proc/PID/fd shows who holds it.
 *
 * <p>That directory can be read for processes of this one's own user, if they may be traced. Where
 * it cannot be read the answer is an exception, and nobody should be let in.
 */
public final class TcpProcess {
  private static final String SOCKET = "socket:[";

  /** Descriptors of one process that are looked at. */
  private static final int MAX_DESCRIPTORS = 1 << 16;

  /** A socket can be missed when its neighbours in the kernel's hash come and go while we read. */
  private static final int READS = 3;

  private TcpProcess() {}

  /**
   * Whether the process listens at that address, and nobody else does who might get a connection to
   * it (on all addresses, or with SO_REUSEPORT).
   *
   * @throws IOException if that cannot be found out
   */
  public static boolean listens(long pid, Endpoint.Ip at) throws IOException {
    ProcNetTcp.End end = ProcNetTcp.End.of(at);
    return holdsAll(
        pid,
        at.port(),
        e ->
            e.state() == ProcNetTcp.Entry.LISTEN
                && (e.local().equals(end) || e.local().isWildcard()));
  }

  /**
   * Whether the process has made the connection that comes from {@code client} to {@code server},
   * and still holds it.
   *
   * @throws IOException if that cannot be found out
   */
  public static boolean connects(long pid, Endpoint.Ip client, Endpoint.Ip server)
      throws IOException {
    ProcNetTcp.End local = ProcNetTcp.End.of(client);
    ProcNetTcp.End remote = ProcNetTcp.End.of(server);
    return holdsAll(pid, client.port(), e -> e.local().equals(local) && e.remote().equals(remote));
  }

  private static boolean holdsAll(long pid, int port, Predicate<ProcNetTcp.Entry> wanted)
      throws IOException {
    for (int i = 0; i < READS; i++) {
      List<Long> inodes =
          ProcNetTcp.at(port).stream().filter(wanted).map(ProcNetTcp.Entry::inode).toList();
      if (!inodes.isEmpty()) {
        return sockets(pid).containsAll(inodes);
      }
    }
    return false;
  }

  private static Set<Long> sockets(long pid) throws IOException {
    Set<Long> inodes = new HashSet<>();
    try (DirectoryStream<Path> descriptors =
        Files.newDirectoryStream(Path.of("/proc", Long.toString(pid), "fd"))) {
      int n = 0;
      for (Path descriptor : descriptors) {
        if (++n > MAX_DESCRIPTORS) {
          throw new IOException("process " + pid + " has over " + MAX_DESCRIPTORS + " descriptors");
        }
        String target;
        try {
          target = Files.readSymbolicLink(descriptor).toString();
        } catch (NoSuchFileException e) {
          continue; // Closed meanwhile.
        }
        if (target.startsWith(SOCKET) && target.endsWith("]")) {
          inodes.add(Long.parseLong(target, SOCKET.length(), target.length() - 1, 10));
        }
      }
    }
    return inodes;
  }
}
