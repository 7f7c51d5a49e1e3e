package org.tpforward.it;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.stream.Stream;
import org.tpforward.demo.BigFile;
import org.tpforward.harness.AgentProcess;
import org.tpforward.harness.Login;
import org.tpforward.harness.PrivateServer;
import org.tpforward.harness.Proc;
import org.tpforward.harness.World;

/** What the tests of floods have in common: who floods, and that others are served meanwhile. */
final class Flood {
  /** KiB: the heap that bin/tpforward-server allows, and what the JVM takes beside it. */
  private static final long MOST_RESIDENT = (256 + 192) << 10;

  private Flood() {}

  /** Lets the desk in, and who floods, who is another user of the same server. */
  static void authorize(World world, PrivateServer server) throws IOException {
    Login desk = world.desk();
    Path key = desk.place().path(desk.home() + "/flood");
    if (!Files.exists(key)) {
      desk.run("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", "flood").ok();
    }
    server.authorize(desk, "serv");
    Files.writeString(
        world.server().path(server.directory() + "/authorized_keys"),
        Files.readString(Path.of(key + ".pub")),
        StandardOpenOption.APPEND);
    server.reload();
  }

  /** A file gets through whole, from the server to the desk. */
  static void aFileArrives(World world, AgentProcess agent, String name) throws IOException {
    Login desk = agent.client();
    Login serv = world.serv();
    String file = serv.home() + "/" + name;
    String inbox = desk.home() + "/inbox-" + name;
    desk.run("mkdir", inbox).ok();
    String checksum = BigFile.write(serv.place().path(file), 8);
    serv.place().admin().run("chmod", "644", file).ok();
    try (Proc receive = TpClient.start(desk, "receive", name + "-b", inbox, "1")) {
      receive.awaitLine("^ready");
      try (Proc send = TpClient.start(serv, "send", name + "-a", name + "-b", file)) {
        receive.await().ok();
        send.await().ok();
      }
    }
    assertThat(BigFile.checksum(desk.place().path(inbox + "/" + name))).isEqualTo(checksum);
  }

  /** At its most, too. */
  static void assertMemoryIsBounded(PrivateServer server, long mark) throws IOException {
    assertThat(server.daemon().linesSince(mark, "OutOfMemory|StackOverflow|NullPointer")).isEmpty();
    Path status = Path.of("/proc/" + server.daemon().handle().pid() + "/status");
    String resident =
        Files.readAllLines(status).stream()
            .filter(line -> line.startsWith("VmHWM:"))
            .findFirst()
            .orElseThrow();
    assertThat(Long.parseLong(resident.replaceAll("[^0-9]", ""))).isLessThan(MOST_RESIDENT);
  }

  /** How many sockets a server has. */
  static long sockets(PrivateServer server) {
    Path descriptors = Path.of("/proc/" + server.daemon().handle().pid() + "/fd");
    try (Stream<Path> all = Files.list(descriptors)) {
      return all.filter(Held::isSocket).count();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}
