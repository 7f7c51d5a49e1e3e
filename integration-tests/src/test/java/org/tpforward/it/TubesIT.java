package org.tpforward.it;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.MethodSource;
import org.tpforward.harness.AgentProcess;
import org.tpforward.harness.Login;
import org.tpforward.harness.Proc;
import org.tpforward.harness.World;

/** Channel.Type.Tubes, the older interface, from side to side. */
@NeedsSides
@EitherServer
class TubesIT {
  private static final String ERROR = "org.freedesktop.Telepathy.Error.";

  private static World world;
  private static AgentProcess agent;
  private static Login desk;
  private static Login serv;
  private static int count;

  @BeforeAll
  static void open() {
    world = World.apartWithEither("--profile", "gabble");
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

  static Stream<Arguments> waysAndKinds() {
    List<String[]> kinds =
        List.of(
            new String[] {"unix", "localhost"},
            new String[] {"unix", "credentials"},
            new String[] {"abstract", "localhost"},
            new String[] {"abstract", "credentials"},
            new String[] {"ipv4", "localhost"},
            new String[] {"ipv4", "port"},
            new String[] {"ipv6", "localhost"},
            new String[] {"ipv6", "port"});
    return Stream.of(Way.values())
        .flatMap(way -> kinds.stream().map(kind -> Arguments.of(way, kind[0], kind[1])));
  }

  /** What a client of that side asks for: any kind on the desktop, one that the CM has there. */
  private static List<String> kind(Login who, String type, String access) {
    return who.equals(desk) ? List.of(type, access) : List.of("unix", "localhost");
  }

  private static Proc start(
      Login who, String command, List<String> first, List<String> kind, Object last) {
    return TpClient.start(
        who,
        Stream.of(List.of(command), first, kind, List.of(last.toString()))
            .flatMap(List::stream)
            .toArray(String[]::new));
  }

  @ParameterizedTest
  @MethodSource("waysAndKinds")
  void aStreamIsOfferedAcceptedAskedForAndClosed(Way way, String type, String access) {
    String service = "echo" + count++;
    try (Proc accept =
        start(
            way.accepting(desk, serv),
            "tubes-accept",
            List.of(service + "-b", service),
            kind(way.accepting(desk, serv), type, access),
            3_000_000)) {
      accept.awaitLine("^connected");
      try (Proc offer =
          start(
              way.offering(desk, serv),
              "tubes-offer",
              List.of(service + "-a", service + "-b", service),
              kind(way.offering(desk, serv), type, access),
              1)) {
        accept.await().ok();
        offer.await().ok();
        assertThat(accept.said())
            .contains("refused GetStreamTubeSocketAddress " + ERROR + "NotAvailable")
            .contains("refused AcceptStreamTube " + ERROR + "NotAvailable")
            .contains("same address")
            .contains("same 3000000");
        assertThat(offer.said())
            .contains("same address")
            .contains("signal StreamTubeNewConnection")
            .contains("refused GetStreamTubeSocketAddress " + ERROR + "InvalidArgument");
        assertAbilities(way.accepting(desk, serv), accept);
        assertAbilities(way.offering(desk, serv), offer);
      }
    }
    Eventually.holds(
        agent::status, status -> status.matches("(?s).*\"forwards\"\\s*:\\s*\\[\\s*].*"));
  }

  /** On the desktop what the agent has; on the server what the CM has, which is not abstract. */
  private static void assertAbilities(Login who, Proc client) {
    String abilities = client.awaitLine("^abilities (.*)").group(1).replaceAll("uint32 ", "");
    assertThat(abilities)
        .isEqualTo(
            who.equals(desk)
                ? "({0: [0, 3], 1: [0, 3], 2: [0, 1], 3: [0, 1]},)"
                : "({0: [0, 3], 2: [0, 1], 3: [0, 1]},)");
  }

  @ParameterizedTest
  @EnumSource(Way.class)
  void aServiceOnADbusTubeIsCalled(Way way) {
    String service = "org.tpforward.Echo" + count++;
    try (Proc accept =
        TpClient.start(
            way.accepting(desk, serv), "tubes-dbus-accept", service + "b", service, "hello")) {
      accept.awaitLine("^connected");
      try (Proc offer =
          TpClient.start(
              way.offering(desk, serv),
              "tubes-dbus-offer",
              service + "a",
              service + "b",
              service)) {
        accept.await().ok();
        offer.await().ok();
      }
    }
  }

  /** Two clients of one account ask for the address of one tube: both are told the same. */
  @Test
  void anotherClientOfTheDesktopIsToldTheSameAddress() throws IOException {
    String first = useTwice(desk);
    assertThat(first).contains("/run/user/20001/tpforward/");
  }

  /** One that was accepted on the server, which the agent has never seen. */
  @Test
  void aTubeThatWasAcceptedElsewhereIsForwardedWhenItIsAskedFor() throws IOException {
    String first = useTwice(serv);
    assertThat(first).doesNotContain("/run/user/20001/");
  }

  /**
   * An account's tube is accepted by one client, and then used by another of the desktop.
   *
   * @return the first one's address
   */
  private static String useTwice(Login accepting) throws IOException {
    String service = "shared" + count++;
    try (Proc accept =
        TpClient.start(
            accepting.with("TPCLIENT_PAUSE", "address"),
            "tubes-accept",
            service + "-b",
            service,
            "unix",
            "localhost",
            "1000")) {
      accept.awaitLine("^connected");
      try (Proc offer =
          TpClient.start(
              serv,
              "tubes-offer",
              service + "-a",
              service + "-b",
              service,
              "unix",
              "localhost",
              "2")) {
        String address = accept.awaitLine("^address unix (.*)").group(1);
        accept.awaitLine("^paused");
        try (Proc use = TpClient.start(desk, "tubes-use", service + "-b", service, "500000")) {
          String other = use.awaitLine("^address unix (.*)").group(1);
          assertThat(other).startsWith("/run/user/20001/tpforward/");
          if (accepting.equals(desk)) {
            assertThat(other).isEqualTo(address);
          }
          use.await().ok();
        }
        goOn(accept);
        accept.await().ok();
        offer.await().ok();
        return address;
      }
    }
  }

  private static void goOn(Proc paused) throws IOException {
    paused.stdin().write('\n');
    paused.stdin().flush();
  }
}
