package org.tpforward.agent.forward;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.List;
import org.tpforward.socket.Endpoint;

/** Another user of this machine, for real: perl, which every Debian has, under {@code setpriv}. */
public final class OtherUser {
  private static final int UID = 12345;

  /** Connects, writes a byte, and says how the connection ended and after how many bytes. */
  private static final String PROGRAM =
      """
      use Socket qw(:DEFAULT inet_pton pack_sockaddr_in6); $SIG{PIPE} = 'IGNORE'; my ($kind, $where, $port) = @ARGV; my $to;
      if ($kind eq 'unix') { socket(S, PF_UNIX, SOCK_STREAM, 0); $to = pack_sockaddr_un($where); }
      elsif ($kind eq 'abstract') {
        socket(S, PF_UNIX, SOCK_STREAM, 0); $to = pack('S', AF_UNIX) . "\\0" . $where;
      } elsif ($kind eq '4') {
        socket(S, PF_INET, SOCK_STREAM, 0); $to = pack_sockaddr_in($port, inet_aton($where));
      } else {
        socket(S, PF_INET6, SOCK_STREAM, 0);
        $to = pack_sockaddr_in6($port, inet_pton(AF_INET6, $where));
      }
      connect(S, $to) or do { print "refused: $!"; exit 0; };
      syswrite(S, 'x');
      my $n = 0; my $got;
      while ($got = sysread(S, my $buf, 4096)) { $n += $got; }
      print defined($got) ? "closed after $n" : "reset after $n";
      """;

  private OtherUser() {}

  /** Lets others reach a test's directory. */
  public static void open(Path directory) throws IOException {
    Files.setPosixFilePermissions(directory, PosixFilePermissions.fromString("rwxr-xr-x"));
  }

  /** Connects there and waits for the end; how it ended. */
  public static String connectTo(Endpoint where) throws Exception {
    List<String> address =
        switch (where) {
          case Endpoint.UnixPath(String path) -> List.of("unix", path);
          case Endpoint.UnixAbstract(String name) -> List.of("abstract", name);
          case Endpoint.Ip ip ->
              List.of(
                  ip.address().getAddress().length == 4 ? "4" : "6",
                  ip.address().getHostAddress(),
                  Integer.toString(ip.port()));
        };
    ProcessBuilder builder =
        new ProcessBuilder(
            "setpriv", "--reuid=" + UID, "--regid=" + UID, "--clear-groups", "perl", "-e", PROGRAM);
    builder.command().addAll(address);
    Process process;
    try {
      process = builder.redirectErrorStream(true).start();
    } catch (IOException e) {
      throw new IOException("this test needs setpriv and perl: apt-get install util-linux", e);
    }
    process.getOutputStream().close();
    String said = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
    if (process.waitFor() != 0) {
      throw new IOException(
          "this test needs root, or a user namespace with subordinate ids: " + said);
    }
    return said;
  }
}
