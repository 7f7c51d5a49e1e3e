package org.tpforward.it.link;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import org.tpforward.agent.link.Destination;
import org.tpforward.agent.link.LinkException;
import org.tpforward.agent.link.LinkOptions;
import org.tpforward.agent.link.LinkTimes;
import org.tpforward.agent.link.SshLink;
import org.tpforward.agent.link.UserEnvironment;

/** The user's side: a home directory, an environment, what is typed on the command line. */
final class Desk {
  static final LinkTimes TIMES =
      new LinkTimes(
          Duration.ofSeconds(20),
          Duration.ofSeconds(20),
          Duration.ofSeconds(20),
          Duration.ofSeconds(20),
          Duration.ofSeconds(20),
          Duration.ofMillis(50),
          Duration.ofMillis(200),
          null);

  final Path home;
  final Path ssh;
  final Map<String, String> variables = new HashMap<>();
  final List<String> identities = new ArrayList<>();
  final List<String> options = new ArrayList<>();
  LinkTimes times = TIMES;
  boolean reconnect;
  @Nullable Path terminal;
  @Nullable String destination;

  Desk(Path home) throws IOException {
    this.home = home;
    this.ssh = Files.createDirectories(home.resolve(".ssh"));
    variables.put("PATH", System.getenv("PATH"));
    variables.put("HOME", home.toString());
  }

  Desk config(String... lines) throws IOException {
    Files.write(ssh.resolve("config"), List.of(lines));
    return this;
  }

  Desk knows(String line) throws IOException {
    Files.writeString(knownHosts(), line);
    return this;
  }

  Path knownHosts() {
    return ssh.resolve("known_hosts");
  }

  /** A link to a server, not connected yet. */
  SshLink link(Door door) throws LinkException {
    return link("127.0.0.1:" + door.port());
  }

  SshLink link(String to) throws LinkException {
    return new SshLink(
        new LinkOptions(Destination.parse(to), null, identities, 0, options, reconnect, true),
        times,
        new UserEnvironment(home, variables, terminal));
  }

  /** A connected link. */
  SshLink connect(Door door) throws LinkException {
    SshLink link = link(door);
    try {
      link.connect();
      link.settle();
      return link;
    } catch (LinkException e) {
      link.close();
      throw e;
    }
  }
}
