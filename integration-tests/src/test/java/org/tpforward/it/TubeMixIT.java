package org.tpforward.it;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.tpforward.harness.AgentProcess;
import org.tpforward.harness.HarnessException;
import org.tpforward.harness.Java;
import org.tpforward.harness.Login;
import org.tpforward.harness.PrivateBus;
import org.tpforward.harness.PrivateServer;
import org.tpforward.harness.Proc;
import org.tpforward.harness.User;
import org.tpforward.harness.World;

/** Tubes where more than one agent or more than one CM has to do with it. */
@NeedsSides
class TubeMixIT {
  private static World world;
  private static AgentProcess agent;
  private static Login desk;
  private static Login serv;
  private static int count;

  @BeforeAll
  static void open() {
    world = World.apartWithEither("--profile", "full");
    TpClient.install(world.desktop());
    TpClient.install(world.server());
    agent = world.agent();
    desk = agent.client();
    serv = world.serv();
  }

  @AfterAll
  static void close() {
    agent.close();
    world.close();
  }

  private static void stream(Login offering, Login accepting) {
    String service = "echo" + count++;
    try (Proc accept =
        TpClient.start(accepting, "tube-accept", service + "-b", service, "1000000")) {
      accept.awaitLine("^ready");
      try (Proc offer =
          TpClient.start(offering, "tube-offer", service + "-a", service + "-b", service, "1")) {
        accept.await().ok();
        offer.await().ok();
      }
    }
  }

  private static void dbus(Login offering, Login accepting) {
    String service = "org.tpforward.Echo" + count++;
    try (Proc accept =
        TpClient.start(accepting, "dbus-tube-accept", service + "b", service, "hello")) {
      accept.awaitLine("^ready");
      try (Proc offer =
          TpClient.start(offering, "dbus-tube-offer", service + "a", service + "b", service)) {
        accept.await().ok();
        offer.await().ok();
      }
    }
  }

  @Test
  @EitherServer
  void twoAgentsWithOneCm() {
    try (AgentProcess other = world.agent("--name", "other")) {
      stream(desk, other.client());
      stream(other.client(), desk);
      dbus(desk, other.client());
      dbus(other.client(), desk);
    }
  }

  /** A service is passed on: what came through one CM's tube is offered through the other's. */
  @Test
  @EitherServer
  void twoAgentsWithTwoCms() {
    Login friend = world.server().login(User.STRANGER);
    try (PrivateBus bus = PrivateBus.start(friend, "--profile", "gabble");
        PrivateServer server = serverOf(bus);
        AgentProcess other = agentOf(friend, server);
        Proc accept = accept(desk, "desk", "echo", "ipv4", "localhost");
        Proc echo = TpClient.start(serv, "tube-offer", "alice", "desk", "echo", "1")) {
      String port = accept.awaitLine("^address 127.0.0.1 (\\d+)$").group(1);
      try (Proc last = accept(bus.login(), "bob", "again", "ipv6", "localhost", "2000000");
          Proc passOn =
              offer(
                  other.client(),
                  "desk",
                  "bob",
                  "again",
                  "ipv4",
                  "localhost",
                  "127.0.0.1:" + port)) {
        last.await().ok();
        echo.await().ok();
        end(passOn);
      }
      end(accept);
    }
  }

  /** sshd serves every user of the machine; of tpforward-server each has one of his own. */
  private static @Nullable PrivateServer serverOf(PrivateBus bus) {
    return world.ssh() instanceof PrivateServer ? PrivateServer.start(bus.login(), 2223) : null;
  }

  private static AgentProcess agentOf(Login friend, @Nullable PrivateServer server) {
    String name = friend.user().name();
    if (server != null) {
      server.authorize(world.desk(), name);
    }
    try {
      return AgentProcess.start(
          world.desk(),
          "-F",
          world.desk().home() + "/.ssh/config",
          "--name",
          "friend",
          name + "@server");
    } finally {
      world.ssh().authorize(world.desk(), world.serv().user().name());
    }
  }

  /** Accepts by hand, once the account can be offered something. */
  private static Proc accept(Login login, String... arguments) {
    Proc proc = start(login, "raw-tube-accept", arguments);
    try {
      proc.awaitLine("^ready");
      return proc;
    } catch (HarnessException e) {
      proc.close();
      throw e;
    }
  }

  private static Proc offer(Login login, String... arguments) {
    return start(login, "raw-tube-offer", arguments);
  }

  private static Proc start(Login login, String command, String... arguments) {
    return TpClient.start(
        login, Stream.concat(Stream.of(command), Stream.of(arguments)).toArray(String[]::new));
  }

  private static void end(Proc proc) {
    proc.closeStdin();
    proc.await().ok();
  }

  /** A CM on the desktop that is itself a client of the agent: its sockets are local already. */
  @Test // Over tpforward-server none can own a CM's name.
  void aCmBehindTheAgentIsLeftAlone() {
    try (World own = World.apartWithEither()) {
      TpClient.install(own.desktop());
      try (AgentProcess only = own.agent();
          Proc cm =
              only.client()
                  .start(
                      Java.command(
                          own.desktop(),
                          "org.tpforward.loopback.LoopbackCm",
                          "--profile",
                          "full",
                          "--socket-dir",
                          own.desk().home() + "/sockets-of-the-cm"))) {
        Login client = only.client();
        Eventually.holds(
            () ->
                client
                    .run(
                        "gdbus",
                        "call",
                        "--session",
                        "--dest",
                        "org.freedesktop.DBus",
                        "--object-path",
                        "/org/freedesktop/DBus",
                        "--method",
                        "org.freedesktop.DBus.ListNames")
                    .ok()
                    .out(),
            names -> names.contains("ConnectionManager.loopback"));
        try (Proc accept =
            TpClient.start(client, "tubes-accept", "b", "echo", "unix", "credentials", "1000000")) {
          accept.awaitLine("^connected");
          try (Proc offer =
              TpClient.start(client, "tubes-offer", "a", "b", "echo", "unix", "credentials", "1")) {
            String address = accept.awaitLine("^address unix (.*)").group(1);
            assertThat(address).startsWith(own.desk().home() + "/sockets-of-the-cm/");
            accept.await().ok();
            offer.await().ok();
          }
        }
        stream(client, client);
        dbus(client, client);
        assertThat(only.status())
            .contains("\"bytesDown\":0,\"bytesUp\":0,\"forwards\":[]"); // The bus's do not count.
        assertThat(cm.isAlive()).isTrue();
      }
    }
  }

  @Test
  @EitherServer
  void oneAccountOffersOneTubeAndAcceptsAnotherThroughTheSameAgent() {
    try (Proc deskAccepts = TpClient.start(desk, "tube-accept", "both", "theirs", "3000000");
        Proc servAccepts = TpClient.start(serv, "tube-accept", "peer", "ours", "3000000")) {
      deskAccepts.awaitLine("^ready");
      servAccepts.awaitLine("^ready");
      try (Proc deskOffers = TpClient.start(desk, "tube-offer", "both", "peer", "ours", "1");
          Proc servOffers = TpClient.start(serv, "tube-offer", "peer", "both", "theirs", "1")) {
        for (Proc each : new Proc[] {deskAccepts, servAccepts, deskOffers, servOffers}) {
          each.await().ok();
        }
      }
    }
  }

  /** Members of a room on both sides, and one who offers on the desktop. */
  @Test
  @EitherServer
  void aTubeInARoomReachesMembersOnBothSides() {
    try (Proc here = TpClient.start(desk, "tube-accept", "here", "shared", "1000000");
        Proc there = TpClient.start(serv, "tube-accept", "there", "shared", "2000000")) {
      here.awaitLine("^ready");
      there.awaitLine("^ready");
      try (Proc offer = TpClient.start(desk, "tube-offer", "host", "#a room", "shared", "2")) {
        here.await().ok();
        there.await().ok();
        offer.await().ok();
      }
    }
  }

  /**
   * The service is a CM's own socket under Credentials, which hangs up if anything comes in the
   * same read as the byte.
   */
  @Test
  @EitherServer
  void aServiceAsStrictAsGabbleIsReached() {
    try (PrivateBus bus =
            PrivateBus.start(world.desktop().login(User.DESK), "--profile", "gabble");
        Proc accept = accept(bus.login(), "bob", "echo", "unix", "credentials");
        Proc echo = TpClient.start(bus.login(), "tube-offer", "alice", "bob", "echo", "5")) {
      String socket = accept.awaitLine("^address unix (.*)$").group(1);
      try (Proc use = accept(serv, "user", "it", "ipv4", "localhost", "1000000", "5");
          Proc offer = offer(desk, "strict", "user", "it", "unix", "credentials", socket)) {
        use.await().ok();
        end(offer);
      }
      end(accept);
      echo.await().ok();
    }
  }
}
