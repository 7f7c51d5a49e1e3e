package org.tpforward.it;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.tpforward.agent.Json;
import org.tpforward.demo.BigFile;
import org.tpforward.harness.AgentProcess;
import org.tpforward.harness.Java;
import org.tpforward.harness.Login;
import org.tpforward.harness.Proc;
import org.tpforward.harness.User;
import org.tpforward.harness.World;

/** Legacy services over tubes, by {@code tpforward tube} at both ends, through an agent. */
@NeedsSides
@EitherServer
class TubeCommandIT {
  private static final Map<String, Setting> SETTINGS = new HashMap<>();
  private static int count;

  /** A world under one profile of the connection manager, with an agent. */
  private record Setting(World world, AgentProcess agent) {
    static Setting of(String profile) {
      return SETTINGS.computeIfAbsent(
          profile,
          name -> {
            World world = World.apartWithEither("--profile", name);
            try {
              Services.install(world.desktop());
              Services.install(world.server());
              return new Setting(world, world.agent());
            } catch (RuntimeException e) {
              world.close();
              throw e;
            }
          });
    }

    /** On the desktop, on the agent's bus. */
    Login desk() {
      return agent.client();
    }

    /** On the server, on its own bus. */
    Login serv() {
      return world.serv();
    }

    /** A tube that nobody else uses, from side to side. */
    Ends ends(boolean toTheDesktop) {
      int number = count++;
      return new Ends(
          toTheDesktop ? serv() : desk(),
          toTheDesktop ? desk() : serv(),
          "a" + number,
          "b" + number);
    }
  }

  /** Who offers to whom. */
  private record Ends(Login from, Login to, String offering, String accepting) {
    Proc offer(String service, String address, String... options) {
      return start(
          from,
          Stream.concat(
                  Stream.of(
                      "offer", "--account", "loopback:" + offering, accepting, service, address),
                  Stream.of(options))
              .toList());
    }

    /** Starts to accept, and waits until an offer would be seen. */
    Proc accept(List<String> words, String... options) {
      List<String> arguments = new ArrayList<>(List.of("accept", "--account"));
      arguments.add("loopback:" + accepting);
      arguments.addAll(List.of(options));
      arguments.addAll(words);
      Proc accept = start(to, arguments);
      try {
        accept.awaitLine("waiting");
        return accept;
      } catch (RuntimeException e) {
        accept.close();
        throw e;
      }
    }

    /** SIGINT may be ignored where a build runs in the background, and that is inherited. */
    private static Proc start(Login login, List<String> arguments) {
      List<String> command = new ArrayList<>(List.of("env", "--default-signal=INT,TERM"));
      command.addAll(
          login.tpforward(Stream.concat(Stream.of("tube"), arguments.stream()).toList()));
      return login.start(command);
    }

    List<Json> tubes(Login login, String account) {
      String out =
          login.run(login.tpforward("tube", "list", "--json", "--account", account)).ok().out();
      return ((Json.Arr) Json.parse(out.strip())).elements();
    }
  }

  @AfterAll
  static void close() {
    SETTINGS
        .values()
        .forEach(setting -> {
          setting.agent().close();
          setting.world().close();
        });
    SETTINGS.clear();
  }

  private static String address(Proc accept, String service) {
    return accept.awaitLine("^" + service + " from \\S+ is at (\\S+)$").group(1);
  }

  static Stream<Arguments> waysAndAddresses() {
    return Stream.of("gabble", "full")
        .flatMap(profile ->
            Stream.of(
                Arguments.of(profile, true, "127.0.0.1:0"),
                Arguments.of(profile, true, "unix:/run/user/20001/page"),
                Arguments.of(profile, false, "[::1]:0"),
                Arguments.of(profile, false, "unix:@tpforward-page")));
  }

  @ParameterizedTest
  @MethodSource("waysAndAddresses")
  void aPageIsReadWithCurl(String profile, boolean toTheDesktop, String address)
      throws IOException {
    Ends ends = Setting.of(profile).ends(toTheDesktop);
    String directory = ends.from().home() + "/www-" + ends.offering();
    ends.from().run("mkdir", directory).ok();
    Path big = ends.from().place().path(directory + "/big");
    String checksum = BigFile.write(big, 5);
    ends.from().place().admin().run("chmod", "644", directory + "/big").ok();
    try (Proc web = Services.web(ends.from(), directory);
        Proc accept = ends.accept(List.of(ends.offering(), "http", address));
        Proc offer = ends.offer("http", "127.0.0.1:" + Services.webPort(web))) {
      String at = address(accept, "http");
      String copy = ends.to().home() + "/copy-" + ends.offering();
      for (int i = 1; i <= 3; i++) {
        List<String> curl = new ArrayList<>(List.of("curl", "-sS", "--fail", "-o", copy + i));
        String host = at;
        if (at.startsWith("unix:")) {
          boolean named = at.startsWith("unix:@");
          curl.add(named ? "--abstract-unix-socket" : "--unix-socket");
          curl.add(at.substring((named ? "unix:@" : "unix:").length()));
          host = "localhost";
        }
        curl.add("http://" + host + "/big");
        ends.to().run(curl).ok();
        assertThat(BigFile.checksum(ends.to().place().path(copy + i))).isEqualTo(checksum);
        accept.awaitLine("^connection " + i + " opened$");
        accept.awaitLine("^connection " + i + " ended: received 5.0 MiB, sent [0-9]+ B$");
        offer.awaitLine("^connection " + i + " ended: received [0-9]+ B, sent 5.0 MiB$");
      }
      offer.awaitLine("^http is open to " + ends.accepting() + "$");
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {"gabble", "full"})
  void aPasswordGoesWithTheTubeAndInNoCommandLine(String profile) throws IOException {
    Ends ends = Setting.of(profile).ends(false);
    String secret = "geheim " + ends.offering();
    String file = ends.from().home() + "/secret-" + ends.offering();
    Files.writeString(ends.from().place().path(file), secret + "\n");
    ends.from().place().admin().run("chmod", "644", file).ok();
    String display = "unix:" + ends.from().runtimeDir() + "/display-" + ends.offering();
    try (Proc server = Services.start(ends.from(), "rfb", display, secret);
        Proc accept = ends.accept(List.of("rfb"), "--json", "--show-params");
        Proc offer =
            ends.offer("rfb", display, "--param-file", "password=" + file, "--param", "depth=24")) {
      assertThat(server.isAlive()).isTrue();
      Json.Obj open = (Json.Obj) Json.parse(accept.awaitLine("^.*\"event\":\"open\".*$").group());
      Json.Obj parameters = (Json.Obj) Objects.requireNonNull(open.get("parameters"));
      assertThat(parameters.get("depth")).isEqualTo(Json.of("24"));
      assertThat(open.get("contact")).isEqualTo(Json.of(ends.offering()));
      String at = ((Json.Str) Objects.requireNonNull(open.get("address"))).value();
      String password = ((Json.Str) Objects.requireNonNull(parameters.get("password"))).value();
      try (Proc view = Services.start(ends.to(), "view", at, password)) {
        assertThat(view.await().ok().out()).isEqualTo("picture\n");
      }
      try (Proc view = Services.start(ends.to(), "view", at, "wrong")) {
        assertThat(view.await().out()).isEqualTo("refused\n");
      }
      accept.awaitLine("\"event\":\"ended\",\"connection\":2,");
      String commandLine = Files.readString(Path.of("/proc/" + offer.handle().pid() + "/cmdline"));
      assertThat(commandLine).contains("password=").doesNotContain("geheim");
      assertThat(offer.said()).doesNotContain("geheim");
    }
  }

  @Test
  void aSecretIsAskedForAtTheTerminal() throws IOException {
    Ends ends = Setting.of("gabble").ends(true);
    List<String> command =
        new ArrayList<>(List.of("python3", "-c", "import pty, sys; pty.spawn(sys.argv[1:])"));
    command.addAll(
        ends.from()
            .tpforward(
                "tube",
                "offer",
                "--account",
                "loopback:" + ends.offering(),
                "--param-ask",
                "password",
                ends.accepting(),
                "rfb",
                "127.0.0.1:9"));
    try (Proc accept = ends.accept(List.of("rfb"), "--show-params");
        Proc offer = ends.from().start(command)) {
      offer.stdin().write("geheim =\n".getBytes(StandardCharsets.UTF_8));
      offer.stdin().flush();
      accept.awaitLine("^  password = geheim =$");
    }
  }

  @Test
  void aSecretIsHiddenUnlessItIsAskedFor() {
    Ends ends = Setting.of("gabble").ends(true);
    try (Proc accept = ends.accept(List.of("rfb"));
        Proc offer = ends.offer("rfb", "127.0.0.1:9", "--param", "password=geheim")) {
      accept.awaitLine("^  password = \\*+ \\(--show-params shows it\\)$");
      assertThat(accept.said()).doesNotContain("geheim");
      assertThat(offer.isAlive()).isTrue();
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {"INT", "TERM"})
  void anInterruptionClosesTheTubeAndRemovesTheSockets(String signal) {
    Setting setting = Setting.of("gabble");
    Ends ends = setting.ends(false);
    String socket = ends.to().runtimeDir() + "/end-" + ends.offering();
    String sockets = ends.from().runtimeDir();
    int status = signal.equals("INT") ? 130 : 143;
    try (Proc echo = Services.start(ends.from(), "echo", "127.0.0.1:0");
        Proc accept = ends.accept(List.of("echo", "unix:" + socket));
        Proc offer = ends.offer("echo", "127.0.0.1:" + Services.port(echo))) {
      assertThat(address(accept, "echo")).isEqualTo("unix:" + socket);
      try (Proc client = probe(ends.to(), "unix:" + socket, "hello")) {
        accept.awaitLine("^connection 1 opened$");
        assertThat(ends.tubes(ends.from(), ends.offering())).hasSize(1);
        assertThat(ends.tubes(ends.to(), ends.accepting())).hasSize(1);
        assertThat(ends.from().run("sh", "-c", "ls -d " + sockets + "/tpforward-tube-*").ok().out())
            .hasLineCount(1);

        accept.signal(signal);
        Proc.Result accepted = accept.await();
        assertThat(accepted.status()).as(accept.said()).isEqualTo(status);
        assertThat(accepted.out())
            .containsPattern("(?m)^connection 1 ended: received .*: interrupted$")
            .endsWith("echo: interrupted\n");
        assertThat(client.await().out()).startsWith("closed ");
        assertThat(ends.to().place().path(socket)).doesNotExist();
        assertThat(ends.tubes(ends.to(), ends.accepting())).isEmpty();
        offer.awaitLine("^connection 1 ended: ");

        offer.signal(signal);
        assertThat(offer.await().status()).as(offer.said()).isEqualTo(status);
        assertThat(ends.tubes(ends.from(), ends.offering())).isEmpty();
        assertThat(ends.from().run("sh", "-c", "ls -d " + sockets + "/tpforward-tube-*").status())
            .isNotZero();
      }
    }
  }

  @Test
  void beforeAnythingIsOpenAnInterruptionIsAFailure() {
    Ends ends = Setting.of("gabble").ends(true);
    try (Proc accept = ends.accept(List.of("nothing"))) {
      Ends back = new Ends(ends.from(), ends.to(), ends.offering(), ends.accepting());
      try (Proc offer = back.offer("something", "127.0.0.1:9")) {
        offer.awaitLine("^waiting for " + ends.accepting() + " to use something$");
        offer.signal("TERM");
        Proc.Result result = offer.await();
        assertThat(result.status()).isEqualTo(143);
        assertThat(result.err())
            .isEqualTo("tpforward: " + ends.accepting() + " did not take the tube: interrupted\n");
      }
      accept.signal("TERM");
      Proc.Result result = accept.await();
      assertThat(result.status()).isEqualTo(143);
      assertThat(result.err()).isEqualTo("tpforward: interrupted\n");
    }
  }

  @ParameterizedTest
  @ValueSource(booleans = {true, false})
  void aServiceThatIsNotThereIsALineAndMayComeBack(boolean toTheDesktop) {
    Ends ends = Setting.of("gabble").ends(toTheDesktop);
    String service = "unix:" + ends.from().runtimeDir() + "/late-" + ends.offering();
    try (Proc accept = ends.accept(List.of("echo"));
        Proc offer = ends.offer("echo", service)) {
      String at = address(accept, "echo");
      try (Proc client = probe(ends.to(), at, "hello")) {
        offer.awaitLine("^tpforward: connection 1 did not get through: ");
        assertThat(client.await().out()).matches("(closed|reset) 0\n");
      }
      try (Proc echo = Services.start(ends.from(), "echo", service);
          Proc client = probe(ends.to(), at, "hello")) {
        offer.awaitLine("^connection 2 opened$");
        accept.awaitLine("^connection 2 opened$");
        assertThat(echo.isAlive()).isTrue();
        assertThat(client.isAlive()).isTrue();
      }
      accept.awaitLine("^connection 2 ended: ");
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {"127.0.0.1:0", "[::1]:0", "unix:/tmp/strange", "unix:@strange"})
  void anotherUserIsDisconnectedWhileTheRightfulOneGoesOn(String address) {
    Setting setting = Setting.of("full");
    Ends ends = setting.ends(true);
    try (Proc echo = Services.start(ends.from(), "echo", "127.0.0.1:0");
        Proc accept = ends.accept(List.of("echo", address));
        Proc _ = ends.offer("echo", "127.0.0.1:" + Services.port(echo))) {
      String at = address(accept, "echo");
      try (Proc client = probe(ends.to(), at, "hello")) {
        accept.awaitLine("^connection 1 opened$");
        for (User other : List.of(User.STRANGER, User.ROOT)) {
          try (Proc stranger = probe(setting.world().desktop().login(other), at, "let me in")) {
            assertThat(stranger.await().ok().out()).matches("(closed|reset) 0\n");
          }
          accept.awaitLine("^tpforward: a connection of uid " + other.uid() + ".* was refused$");
        }
        assertThat(client.isAlive()).isTrue();
        assertThat(accept.linesSince(0, "^connection 2")).isEmpty();
      }
      accept.awaitLine("^connection 1 ended: received 5 B, sent 5 B");
    }
  }

  @Test
  void anybodyIsLetInWhereTheUserSaysSo() {
    Setting setting = Setting.of("full");
    Ends ends = setting.ends(true);
    try (Proc echo = Services.start(ends.from(), "echo", "127.0.0.1:0");
        Proc accept = ends.accept(List.of("echo"), "--any-local-user");
        Proc _ = ends.offer("echo", "127.0.0.1:" + Services.port(echo))) {
      String at = address(accept, "echo");
      try (Proc _ = probe(setting.world().desktop().login(User.STRANGER), at, "hello")) {
        accept.awaitLine("^connection 1 opened$");
      }
      accept.awaitLine("^connection 1 ended: received 5 B, sent 5 B");
    }
  }

  /** A legacy client takes an EOF for the end of an answer. */
  @Test
  void whereTheLinkIsLostTheClientSeesAResetAndNoEnd() {
    Setting setting = Setting.of("gabble");
    Ends ends = setting.ends(true);
    try (Proc echo = Services.start(ends.from(), "echo", "127.0.0.1:0");
        Proc accept = ends.accept(List.of("echo", "127.0.0.1:0"));
        Proc _ = ends.offer("echo", "127.0.0.1:" + Services.port(echo));
        Proc client = probe(ends.to(), address(accept, "echo"), "hello")) {
      accept.awaitLine("^connection 1 opened$");
      setting.world().ssh().breakConnections();
      assertThat(client.await().out()).matches("reset [05]\n");
      accept.awaitLine("^connection 1 ended: .*: the bus is lost$");
      assertThat(accept.await().status()).isEqualTo(1);
    }
  }

  @Test
  void whoClosesTheTubeEndsTheCommandInOrderAndWhoLosesItDoesNot() {
    Ends ends = Setting.of("gabble").ends(true);
    try (Proc echo = Services.start(ends.from(), "echo", "127.0.0.1:0");
        Proc accept = ends.accept(List.of("echo"));
        Proc offer = ends.offer("echo", "127.0.0.1:" + Services.port(echo))) {
      String at = address(accept, "echo");
      Json.Obj tube = (Json.Obj) ends.tubes(ends.to(), ends.accepting()).getFirst();
      assertThat(tube.get("service")).isEqualTo(Json.of("echo"));
      assertThat(tube.get("contact")).isEqualTo(Json.of(ends.offering()));
      assertThat(tube.get("outgoing")).isEqualTo(new Json.Bool(false));
      assertThat(tube.get("state")).isEqualTo(Json.of("open"));
      String channel = ((Json.Str) Objects.requireNonNull(tube.get("channel"))).value();
      ends.to()
          .run(
              "gdbus",
              "call",
              "--session",
              "--dest",
              "org.freedesktop.Telepathy.Connection.loopback.loopback." + ends.accepting(),
              "--object-path",
              channel,
              "--method",
              "org.freedesktop.Telepathy.Channel.Close")
          .ok();
      Proc.Result accepted = accept.await();
      assertThat(accepted.ok().out()).endsWith("echo: the tube was closed\n");
      try (Proc client = probe(ends.to(), at, "")) {
        assertThat(client.await().out()).startsWith("refused ");
      }
      assertThat(offer.isAlive()).isTrue();
      ends.from()
          .run(
              "gdbus",
              "call",
              "--session",
              "--dest",
              "org.freedesktop.Telepathy.Connection.loopback.loopback." + ends.offering(),
              "--object-path",
              "/org/freedesktop/Telepathy/Connection/loopback/loopback/" + ends.offering(),
              "--method",
              "org.freedesktop.Telepathy.Connection.Disconnect")
          .ok();
      Proc.Result offered = offer.await();
      assertThat(offered.status()).as(offer.said()).isEqualTo(1);
    }
  }

  @Test
  void whatCannotBeIsOneLine() {
    Setting setting = Setting.of("gabble");
    Login desk = setting.desk();
    Proc.Result bad = desk.run(desk.tpforward("tube", "offer", "bob", "http", "10.0.0.1:80"));
    assertThat(bad.status()).isEqualTo(2);
    assertThat(bad.err()).hasLineCount(1).startsWith("tpforward: \"10.0.0.1:80\" is no address: ");
    Ends ends = setting.ends(false);
    try (Proc offer = ends.offer("http", "127.0.0.1:80")) {
      Proc.Result offline = offer.await();
      assertThat(offline.status()).isEqualTo(1);
      assertThat(offline.err())
          .hasLineCount(1)
          .startsWith("tpforward: " + ends.accepting() + " is not online (");
    }
    try (Proc echo = Services.start(desk, "echo", "127.0.0.1:0")) {
      String taken = "127.0.0.1:" + Services.port(echo);
      Proc.Result busy =
          desk.run(desk.tpforward("tube", "accept", "--account", "loopback:x", "http", taken));
      assertThat(busy.status()).isEqualTo(1);
      assertThat(busy.err())
          .hasLineCount(1)
          .startsWith("tpforward: cannot listen at " + taken + ": ");
    }
  }

  @Test
  void theContactsOfAnAccountAreListed() {
    Ends ends = Setting.of("gabble").ends(true);
    try (Proc _ = ends.accept(List.of("nothing"))) {
      Login from = ends.from();
      String account = "loopback:" + ends.offering();
      String table = from.run(from.tpforward("contacts", "--account", account)).ok().out();
      assertThat(table)
          .startsWith("CONTACT ")
          .containsPattern("(?m)^" + ends.accepting() + " +available +yes +\\*$");
      String json = from.run(from.tpforward("contacts", "--json", "--account", account)).ok().out();
      assertThat(((Json.Arr) Json.parse(json.strip())).elements())
          .contains(
              Json.parse(
                  "{\"id\":\""
                      + ends.accepting()
                      + "\",\"alias\":\"\",\"presence\":\"available\",\"files\":true,"
                      + "\"tubes\":[\"*\"]}"));
    }
  }

  private static Proc probe(Login login, String address, String text) {
    return login.start(Java.command(login.place(), "org.tpforward.harness.Probe", address, text));
  }
}
