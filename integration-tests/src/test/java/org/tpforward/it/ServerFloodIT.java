package org.tpforward.it;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
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

  /** As CHANNELS, to one place, and of each channel it reads one byte at a time. */
  private static final String SLOW =
      """
      import asyncio, asyncssh, sys
      host, port, key, path = sys.argv[1], int(sys.argv[2]), sys.argv[3], sys.argv[4]
      async def main():
          async with asyncssh.connect(host, port, username='x', client_keys=[key],
                                      known_hosts=None, config=None) as c:
              opened, refused = [], []
              for i in range(1000):
                  try: opened.append(await c.open_unix_connection(path, window=1 << 15))
                  except asyncssh.ChannelOpenError as e: refused.append(e.reason)
              for r, w in opened: assert await r.read(1)
              print('slow', len(opened), 'refused', len(refused), refused[:1], flush=True)
              end = asyncio.get_event_loop().run_in_executor(None, sys.stdin.read)
              while not end.done():
                  for r, w in opened: assert await r.read(1)
                  await asyncio.sleep(0.1)
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
    Flood.authorize(world, server);
    agent = world.agent();
  }

  @AfterAll
  static void close() {
    agent.close();
    server.close();
    world.close();
  }

  private static void aFileArrives(String name) throws IOException {
    Flood.aFileArrives(world, agent, name);
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

  @Test
  void aThousandChannelsOfSlowReadersLeaveRoomForOthers() throws IOException {
    Login desk = world.desk();
    try (PrivateServer own = PrivateServer.start(world.serv(), 2310);
        TubeAccount bob = TubeAccount.start(world.serv(), "bob")) {
      Flood.authorize(world, own);
      long mark = own.daemon().mark();
      desk.run("sh", "-c", "sed '/IdentityFile/d' .ssh/config >.ssh/bare").ok();
      String[] identity = {"-F", ".ssh/bare", "-o", "IdentitiesOnly=yes", "-i", "flood"};
      try (SshForward bus = new SshForward(desk, "/bus", identity);
          AgentProcess other = world.agent("--name", "other")) {
        try (TubeAccount mallory = TubeAccount.start(bus.bus(), "mallory")) {
          bob.ask("offer pour mallory 0:0 POUR");
          String path = mallory.ask("accept pour 0:0").split(" unix:", 2)[1];
          String key = desk.home() + "/flood";
          String address = world.server().address();
          try (Proc flood = desk.start("python3", "-c", SLOW, address, "2310", key, path)) {
            assertThat(flood.awaitLine("^slow .*").group()).isEqualTo("slow 1000 refused 0 []");
            Flood.aFileArrives(world, other, "slow");
            assertThat(flood.isAlive()).isTrue();
          }
        }
      }
      Flood.assertMemoryIsBounded(own, mark);
    } finally {
      server.authorize(desk, "serv"); // ssh's configuration is for that one again.
    }
  }

  /** A bug: where the heap allows fewer channels for all than for one, one had them all. */
  @Test
  void whereThereAreFewChannelsForAllNobodyTakesThemAll() throws IOException {
    Login small = world.serv().with("TPFORWARD_JAVA_OPTS", "-Xmx48m");
    String key = world.desk().home() + "/flood";
    String address = world.server().address();
    try (PrivateServer own = PrivateServer.start(small, 2320)) {
      Flood.authorize(world, own);
      long mark = own.daemon().mark();
      try (Proc flood =
              world.desk().start("python3", "-c", CHANNELS, address, "2320", key, "1000");
          AgentProcess other = startOnce(flood, "^opened (\\d+) refused (\\d+)")) {
        Flood.aFileArrives(world, other, "few");
        flood.awaitLine("^again");
        assertThat(flood.linesSince(0, "refused 0")).isEmpty();
      }
      Flood.assertMemoryIsBounded(own, mark);
    } finally {
      server.authorize(world.desk(), "serv"); // ssh's configuration is for that one again.
    }
  }

  private static AgentProcess startOnce(Proc proc, String line) {
    proc.awaitLine(line);
    return world.agent("--name", "other");
  }

  /**
   * A bug: the bus that the server starts had dbus-daemon's limits for a system's bus, and all
   * users are one there. 64 connections that said nothing kept out all others.
   */
  @Test
  void connectionsToTheSpawnedBusThatSayNothingKeepNobodyOut() throws IOException {
    Login serv = world.serv();
    Managers.install(serv);
    String key = world.desk().home() + "/flood";
    String address = world.server().address();
    try (PrivateServer own = PrivateServer.start(serv, 2330, "--spawn-bus", "--max-channels=300")) {
      Flood.authorize(world, own);
      try (Proc flood =
          world.desk().start("python3", "-c", CHANNELS, address, "2330", key, "300")) {
        assertThat(flood.awaitLine("^opened .*").group()).startsWith("opened 300 refused 0");
        try (SshForward bus = new SshForward(world.desk(), "/bus")) {
          assertThat(Managers.protocols(bus.bus())).contains("loopback");
        }
        assertThat(flood.isAlive()).isTrue();
      }
    } finally {
      server.authorize(world.desk(), "serv");
    }
  }
}
