package org.tpforward.agent.link;

import java.io.IOException;
import java.net.InetAddress;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.tpforward.dbus.BusAddress;
import org.tpforward.dbus.ProtocolException;
import org.tpforward.relay.Duplex;
import org.tpforward.socket.Endpoint;

/**
 * Finds the user's session bus on the server: what {@code --remote-bus} says, and nothing else
 * then; what the server itself announces, and nothing else then; or the socket that systemd makes,
 * /run/user/UID/bus; or what a login shell there has in DBUS_SESSION_BUS_ADDRESS. The first one to
 * which a channel opens is it.
 */
public final class RemoteBus {
  private static final Logger log = LoggerFactory.getLogger(RemoteBus.class);
  private static final int LONGEST_OUTPUT = 64 << 10;
  private static final int LONGEST_PATH = 107;
  private static final int TRIES = 4;

  // A login shell may hang in its start-up files; timeout is in GNU coreutils and busybox.
  private static final String ASK =
      """
      u=$(id -u)
      echo "uid $u"
      for s in "/run/user/$u/bus" "$XDG_RUNTIME_DIR/bus"; do
        [ -S "$s" ] && echo "socket $s"
      done
      echo "env $DBUS_SESSION_BUS_ADDRESS"
      t=
      command -v timeout >/dev/null 2>&1 && t='timeout 10'
      a=$($t "${SHELL:-/bin/sh}" -l -c 'echo; echo "tpforward-bus $DBUS_SESSION_BUS_ADDRESS"' 2>/dev/null |
        sed -n 's/^tpforward-bus //p' | tail -n 1)
      echo "login $a"
      """;

  /**
   * The bus, and a first stream to it, which the caller closes.
   *
   * @param endpoint where it listens
   */
  public record Found(Endpoint endpoint, Duplex stream) {}

  /** A place where the bus may be, and who says so. */
  private record Candidate(Endpoint endpoint, String origin) {}

  private final SshLink link;
  private final List<String> tried = new ArrayList<>();
  private final Set<Candidate> candidates = new LinkedHashSet<>();
  private boolean forbidden;
  private boolean socketExists;

  private RemoteBus(SshLink link) {
    this.link = link;
  }

  /**
   * Blocks for a command on the server and some channel opens.
   *
   * @param link up
   * @param named {@code --remote-bus}: a D-Bus address such as {@code unix:path=/run/bus}, or an
   *     absolute path; or null
   * @return a bus that listens
   * @throws LinkException NO_REMOTE_BUS or FORWARDING_FORBIDDEN, with what was tried; CONFIGURATION
   *     if {@code named} is neither
   * @throws IOException if the link is lost meanwhile
   */
  public static Found find(SshLink link, @Nullable String named) throws IOException {
    RemoteBus search = new RemoteBus(link);
    String announced = link.announcement().bus();
    if (named == null && announced != null) {
      search.add(announced, "the server says so");
    } else if (named == null) {
      search.ask();
    } else {
      search.name(named);
    }
    return search.first();
  }

  private void name(String named) throws LinkException {
    if (named.startsWith("/")) {
      add(named, "--remote-bus");
      return;
    }
    try {
      addAddress(named, "--remote-bus");
    } catch (ProtocolException e) {
      throw new LinkException(
          LinkException.Cause.CONFIGURATION,
          "--remote-bus is neither a path nor a D-Bus address: " + OneLine.of(named, 200),
          e);
    }
  }

  private void ask() throws IOException {
    RemoteShell.Result answer;
    try {
      answer = link.shell().script(ASK, LONGEST_OUTPUT);
    } catch (RemoteShell.NoExecException e) {
      tried.add("asking the server for the user's bus: " + e.getMessage());
      lookBySftp();
      return;
    } catch (IOException e) {
      if (!(link.state() instanceof LinkState.Up)) {
        throw e;
      }
      // Start-up files that hang, perhaps.
      tried.add("asking the server for the user's bus: " + e.getMessage());
      return;
    }
    String uid = "UID";
    for (String line : answer.output().split("\n", -1)) {
      int space = line.indexOf(' ');
      String value = space < 0 ? "" : line.substring(space + 1).strip();
      switch (space < 0 ? "" : line.substring(0, space)) {
        case "uid" -> uid = OneLine.of(value, 20);
        case "socket" -> {
          socketExists = true;
          add(value, "it is there");
        }
        case "env" -> addShells(value, "DBUS_SESSION_BUS_ADDRESS of the server's environment");
        case "login" -> {
          if (value.isEmpty()) {
            tried.add("DBUS_SESSION_BUS_ADDRESS of a login shell: not set");
          }
          addShells(value, "DBUS_SESSION_BUS_ADDRESS of a login shell");
        }
        default -> {}
      }
    }
    if (!socketExists) {
      tried.addFirst("/run/user/" + uid + "/bus: there is no such socket");
    }
  }

  private void lookBySftp() {
    try (SftpClient sftp = link.shell().sftp()) {
      String path = "/run/user/" + RemoteFiles.userId(sftp) + "/bus";
      try {
        if (sftp.attributes(path).isSocket()) {
          add(path, "it is there");
          return;
        }
      } catch (SftpClient.StatusException e) {
        log.debug("{} on the server: {}", path, e.getMessage());
      }
      tried.add(path + ": there is no such socket");
    } catch (IOException e) {
      tried.add("looking for it by SFTP: " + e.getMessage());
    }
  }

  private void addShells(String address, String origin) {
    if (address.isEmpty()) {
      return;
    }
    try {
      addAddress(address, origin);
    } catch (ProtocolException e) {
      tried.add(origin + ": not a D-Bus address: " + OneLine.of(address, 100));
    }
  }

  private void addAddress(String text, String origin) throws ProtocolException {
    for (BusAddress address : BusAddress.parse(text)) {
      String path = address.keys().get("path");
      String name = address.keys().get("abstract");
      if (address.transport().equals("unix") && path != null) {
        add(path, origin);
      } else if (address.transport().equals("unix") && name != null) {
        if (link.abilities().abstractNames()) {
          candidates.add(new Candidate(new Endpoint.UnixAbstract(name), origin));
        } else {
          tried.add(
              origin
                  + ": unix:abstract="
                  + OneLine.of(name, 100)
                  + ", and sshd cannot reach abstract sockets");
        }
      } else if (address.transport().equals("tcp")) {
        addTcp(address, origin);
      } else {
        tried.add(origin + ": no way to reach the transport " + OneLine.of(text, 100));
      }
    }
  }

  private void addTcp(BusAddress address, String origin) {
    String host = address.keys().getOrDefault("host", "localhost");
    String port = address.keys().getOrDefault("port", "");
    boolean loopback =
        host.equals("localhost") || host.matches("127(\\.\\d{1,3}){3}") || host.equals("::1");
    if (!loopback || !port.matches("\\d{1,5}")) {
      tried.add(origin + ": tcp, but no port of the server's own");
      return;
    }
    InetAddress ip =
        host.equals("::1") ? InetAddress.ofLiteral("::1") : InetAddress.ofLiteral("127.0.0.1");
    candidates.add(new Candidate(new Endpoint.Ip(ip, Integer.parseInt(port)), origin));
  }

  private void add(String path, String origin) {
    if (!path.startsWith("/")
        || path.indexOf('\0') >= 0
        || path.getBytes(StandardCharsets.UTF_8).length > LONGEST_PATH) {
      tried.add(origin + ": not a socket's path: " + OneLine.of(path, 150));
      return;
    }
    Endpoint endpoint = new Endpoint.UnixPath(path);
    if (candidates.stream().noneMatch(c -> c.endpoint().equals(endpoint))) {
      candidates.add(new Candidate(endpoint, origin));
    }
  }

  /**
   * Whether the server's own list of sockets has a listener there that this user may connect to.
   * sshd answers "connect failed" both where nobody listens and where its configuration forbids to
   * connect.
   */
  private boolean isListening(String path) {
    String quoted = RemoteShell.quote(path);
    String script =
        "[ -w "
            + quoted
            + " ] || exit 1\n"
            // num refs protocol flags type state inode path: flags 00010000 are a listener's
            + "while read -r n r p f t s i path; do\n"
            + "[ \"$f\" = 00010000 ] && [ \"$path\" = "
            + quoted
            + " ] && exit 0\n"
            + "done < /proc/net/unix\nexit 1";
    try {
      return link.shell().script(script, 1024).status() == 0;
    } catch (IOException e) {
      return false;
    }
  }

  private Found first() throws IOException {
    for (Candidate candidate : candidates) {
      try {
        Duplex stream = link.open(candidate.endpoint(), TRIES);
        log.debug("the remote bus is {} ({})", candidate.endpoint(), candidate.origin());
        return new Found(candidate.endpoint(), stream);
      } catch (ChannelRefusedException e) {
        String what = candidate.endpoint() + " (" + candidate.origin() + "): ";
        if (e.reason() != ChannelRefusedException.Reason.CONNECT_FAILED) {
          forbidden = true;
          tried.add(what + e.getMessage());
        } else if (candidate.endpoint() instanceof Endpoint.UnixPath(String path)
            && isListening(path)) {
          forbidden = true;
          link.unixIsForbidden();
          tried.add(
              what
                  + "somebody listens there, and sshd does not connect: see"
                  + " AllowStreamLocalForwarding, AllowTcpForwarding (sshd heeds it for Unix"
                  + " sockets too) and DisableForwarding in its sshd_config");
        } else {
          tried.add(what + e.getMessage());
        }
      }
    }
    String list = String.join("; ", tried);
    if (forbidden) {
      throw new LinkException(
          LinkException.Cause.FORWARDING_FORBIDDEN,
          "the server does not let " + link.target() + " reach its bus. Tried: " + list);
    }
    throw new LinkException(
        LinkException.Cause.NO_REMOTE_BUS,
        "no session bus can be reached for "
            + link.target()
            + ". Tried: "
            + list
            + ". Start one there (loginctl enable-linger, or dbus-daemon --session), or name it"
            + " with --remote-bus");
  }
}
