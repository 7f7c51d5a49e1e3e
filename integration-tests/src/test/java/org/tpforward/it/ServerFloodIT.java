package org.tpforward.it;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.StandardOpenOption;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.tpforward.demo.BigFile;
import org.tpforward.harness.AgentProcess;
import org.tpforward.harness.Login;
import org.tpforward.harness.PrivateServer;
import org.tpforward.harness.Proc;
import org.tpforward.harness.World;

/** Who floods tpforward-server harms himself: limits hold, and another's transfer completes. */
@NeedsSides
class ServerFloodIT {
  private static final String LIMITS = "--max-startups=40 --max-channels=60 --login-grace-time=20";

  /** Opens connections, says hello on each, and holds them until its input ends. */
  private static final String HOLD =
      """
      import socket, sys
      host, port, count = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
      held, closed = [], 0
      for i in range(count):
          s = socket.create_connection((host, port))
          s.settimeout(20)
          held.append(s)
      for s in held:
          try:
              s.sendall(b'SSH-2.0-flood\\r\\n')
              if not s.recv(1): closed += 1
          except OSError: closed += 1
      print('held', count - closed, 'closed', closed, flush=True)
      sys.stdin.read()
      """;

  /** Opens channels to the bus and leaves them be; says how many were refused. */
  private static final String CHANNELS =
      """
      import asyncio, asyncssh, sys
      host, port, key, count = sys.argv[1], int(sys.argv[2]), sys.argv[3], int(sys.argv[4])
      async def main():
          async with asyncssh.connect(host, port, username='x', client_keys=[key],
                                      known_hosts=None, config=None) as c:
              opened, refused = [], []
              for i in range(count):
                  try: opened.append(await c.open_unix_connection('/bus'))
                  except asyncssh.ChannelOpenError as e: refused.append(e.reason)
              print('opened', len(opened), 'refused', len(refused), refused[:1], flush=True)
              for r, w in opened[:30]: w.close()
              await asyncio.sleep(0)
              while True:
                  try:
                      await c.open_unix_connection('/bus')
                      break
                  except asyncssh.ChannelOpenError: await asyncio.sleep(0.02)
              print('again', flush=True)
              await asyncio.get_event_loop().run_in_executor(None, sys.stdin.read)
      asyncio.run(main())
      """;

  private static World world;
  private static PrivateServer server;
  private static AgentProcess agent;

  @BeforeAll
  static void open() throws IOException {
    world = World.apartWithServer("--profile", "gabble");
    TpClient.install(world.desktop());
    TpClient.install(world.server());
    server = PrivateServer.start(world.serv(), 2300, LIMITS.split(" ", -1));
    server.authorize(world.desk(), "serv");
    // Who floods is another user of the same server.
    Login desk = world.desk();
    desk.run("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", "flood").ok();
    Files.writeString(
        world.server().path(server.directory() + "/authorized_keys"),
        Files.readString(desk.place().path(desk.home() + "/flood.pub")),
        StandardOpenOption.APPEND);
    server.reload();
    agent = world.agent();
  }

  @AfterAll
  static void close() {
    agent.close();
    server.close();
    world.close();
  }

  private static void aFileArrives(String name) throws IOException {
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

  @Test
  void connectionsThatDoNotLogInAreFewAndHarmNobody() throws IOException {
    String address = world.server().address();
    try (Proc flood = world.desk().start("python3", "-c", HOLD, address, "2300", "500")) {
      int closed = Integer.parseInt(flood.awaitLine("held \\d+ closed (\\d+)").group(1));
      assertThat(closed).isGreaterThanOrEqualTo(460);
      aFileArrives("startups");
      server.daemon().awaitLine("too many connections that are not logged in");
    }
    try (Proc ssh =
        world.desk().start("ssh", "-F", ".ssh/config", "-v", "-N", "-p", "2300", "server")) {
      ssh.awaitLine("Entering interactive session");
    }
  }

  @Test
  void channelsOfOneUserAreLimitedAndThoseThatEndMakeRoom() throws IOException {
    String address = world.server().address();
    String key = world.desk().home() + "/flood";
    try (Proc flood = world.desk().start("python3", "-c", CHANNELS, address, "2300", key, "1000")) {
      String line = flood.awaitLine("^opened .*").group();
      assertThat(line).startsWith("opened 60 refused 940").contains("too many channels are open");
      aFileArrives("channels");
      flood.awaitLine("^again");
      assertThat(flood.isAlive()).isTrue();
    }
  }
}
