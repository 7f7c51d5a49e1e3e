package org.tpforward.it;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.List;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.tpforward.demo.BigFile;
import org.tpforward.harness.AgentProcess;
import org.tpforward.harness.Login;
import org.tpforward.harness.PrivateSshd;
import org.tpforward.harness.Proc;
import org.tpforward.harness.World;

/** Programs that know nothing of Telepathy, over tubes: rsync's daemon, ssh, a D-Bus service. */
@NeedsSides
@EitherServer
class RealServicesIT {
  private static final int RSYNC_PORT = 8730;
  private static final int SSH_PORT = 2222;
  private static final int MEBIBYTES = 5;

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

  /** What is done with a tube: given the port at which the accepting side reaches the service. */
  private interface Use {
    void at(int port) throws IOException;
  }

  /** Offers a service of 127.0.0.1 on one side, and has it at a port of 127.0.0.1 on the other. */
  private static void tube(Login offering, int port, Login accepting, Use use) throws IOException {
    String service = "service" + count++;
    try (Proc accept =
        TpClient.start(
            accepting, "raw-tube-accept", service + "-b", service, "ipv4", "localhost")) {
      accept.awaitLine("^ready");
      try (Proc offer =
          TpClient.start(
              offering,
              "raw-tube-offer",
              service + "-a",
              service + "-b",
              service,
              "ipv4",
              "localhost",
              "127.0.0.1:" + port)) {
        use.at(Integer.parseInt(accept.awaitLine("^address 127.0.0.1 (\\d+)$").group(1)));
        offer.closeStdin();
        offer.await().ok();
        accept.closeStdin();
        accept.await().ok();
      }
    }
  }

  private static void write(Login login, String file, String text) throws IOException {
    Path here = login.place().path(file);
    Files.writeString(here, text);
    Files.setPosixFilePermissions(here, PosixFilePermissions.fromString("rw-r--r--"));
  }

  private static String directory(Login login, String name) {
    String path = login.home() + "/" + name + count++;
    login.run("mkdir", path).ok();
    return path;
  }

  private static String bigFile(Login login, String directory) throws IOException {
    Path here = login.place().path(directory + "/big");
    String checksum = BigFile.write(here, MEBIBYTES);
    Files.setPosixFilePermissions(here, PosixFilePermissions.fromString("rw-r--r--"));
    return checksum;
  }

  @ParameterizedTest
  @EnumSource(
      value = Way.class,
      names = {"TO_THE_DESKTOP", "FROM_THE_DESKTOP"})
  void rsyncFetchesAndSendsThroughATube(Way way) throws IOException {
    Login offering = way.offering(desk, serv);
    Login accepting = way.accepting(desk, serv);
    String module = directory(offering, "module");
    String mine = directory(accepting, "mine");
    String fetched = bigFile(offering, module);
    String sent = bigFile(accepting, mine);
    String config = module + ".conf";
    write(
        offering,
        config,
        """
        use chroot = no
        address = 127.0.0.1
        port = %d
        log file = %s.log
        [files]
        path = %s
        read only = no
        """
            .formatted(RSYNC_PORT, module, module));
    try (Proc daemon = offering.start("rsync", "--daemon", "--no-detach", "--config=" + config)) {
      awaitListening(offering, daemon, RSYNC_PORT);
      tube(
          offering,
          RSYNC_PORT,
          accepting,
          port -> {
            String files = "rsync://127.0.0.1:" + port + "/files/";
            accepting.run("rsync", "-z", files + "big", mine + "/fetched").ok();
            accepting.run("rsync", mine + "/big", files + "sent").ok();
          });
    }
    assertThat(BigFile.checksum(accepting.place().path(mine + "/fetched"))).isEqualTo(fetched);
    assertThat(BigFile.checksum(offering.place().path(module + "/sent"))).isEqualTo(sent);
  }

  /** A daemon that does not say when it listens. */
  private static void awaitListening(Login login, Proc daemon, int port) {
    Eventually.holds(
        () -> {
          assertThat(daemon.isAlive()).as(daemon.said()).isTrue();
          return login.run("ss", "-tlnH", "sport", "=", ":" + port).ok().out();
        },
        listening -> !listening.isBlank());
  }

  @ParameterizedTest
  @EnumSource(
      value = Way.class,
      names = {"TO_THE_DESKTOP", "FROM_THE_DESKTOP"})
  void sshLogsInThroughATube(Way way) throws IOException {
    Login offering = way.offering(desk, serv);
    Login accepting = way.accepting(desk, serv);
    String mine = directory(accepting, "ssh");
    String checksum = bigFile(accepting, mine);
    accepting.run("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", mine + "/key").ok();
    try (PrivateSshd sshd =
        PrivateSshd.start(offering.place(), SSH_PORT, "ListenAddress 127.0.0.1")) {
      write(
          offering,
          sshd.directory() + "/authorized_keys",
          Files.readString(accepting.place().path(mine + "/key.pub")));
      String hostKey = sshd.knownHost();
      write(accepting, mine + "/known_hosts", "tube" + hostKey.substring(hostKey.indexOf(' ')));
      tube(
          offering,
          SSH_PORT,
          accepting,
          port -> {
            List<String> ssh =
                List.of(
                    "sh",
                    "-c",
                    "exec ssh -F none -i \"$1/key\" -o HostKeyAlias=tube"
                        + " -o UserKnownHostsFile=\"$1/known_hosts\" -o BatchMode=yes"
                        + " -p \"$2\" \"$3@127.0.0.1\" 'id -un >&2; cat'"
                        + " <\"$1/big\" >\"$1/back\"",
                    "ssh",
                    mine,
                    Integer.toString(port),
                    offering.user().name());
            assertThat(accepting.run(ssh).ok().err().lines().toList())
                .contains(offering.user().name());
          });
    }
    assertThat(BigFile.checksum(accepting.place().path(mine + "/back"))).isEqualTo(checksum);
  }

  /** How a D-Bus service is called by its peer-to-peer address. */
  enum Caller {
    GDBUS,
    DBUS_SEND;

    List<String> command(String address) {
      return switch (this) {
        case GDBUS ->
            List.of(
                "gdbus",
                "call",
                "--address",
                address,
                "--dest",
                "org.tpforward.Echo",
                "--object-path",
                "/org/tpforward/Echo",
                "--method",
                "org.tpforward.Echo.Echo",
                "hello from outside");
        case DBUS_SEND ->
            List.of(
                "dbus-send",
                "--peer=" + address,
                "--print-reply",
                "/org/tpforward/Echo",
                "org.tpforward.Echo.Echo",
                "string:hello from outside");
      };
    }
  }

  @ParameterizedTest
  @EnumSource(Caller.class)
  void aDbusServiceOfTheServerIsCalledOnTheDesktop(Caller caller) {
    callThrough(caller, serv, desk);
  }

  @ParameterizedTest
  @EnumSource(Caller.class)
  void aDbusServiceOfTheDesktopIsCalledOnTheServer(Caller caller) {
    callThrough(caller, desk, serv);
  }

  private static void callThrough(Caller caller, Login offering, Login accepting) {
    String service = "org.tpforward.Echo" + count++;
    try (Proc accept =
        TpClient.start(accepting, "raw-dbus-tube-accept", service + "b", service, "credentials")) {
      accept.awaitLine("^ready");
      try (Proc offer =
          TpClient.start(offering, "dbus-tube-offer", service + "a", service + "b", service)) {
        String address = accept.awaitLine("^address dbus (.*)").group(1);
        offer.awaitLine("^exported");
        Proc.Result result = accepting.run(caller.command(address)).ok();
        assertThat(result.out()).contains("hello from outside");
        offer.await().ok(); // The caller has hung up: a D-Bus tube is one connection.
        assertThat(offer.said()).contains("called hello from outside");
        accept.closeStdin();
        accept.await().ok();
      }
    }
  }

  /** A room's tube is a bus: the service is called by its name on it. */
  @ParameterizedTest
  @EnumSource(
      value = Way.class,
      names = {"TO_THE_DESKTOP", "FROM_THE_DESKTOP"})
  void aDbusServiceInARoomIsCalledByItsName(Way way) {
    String service = "org.tpforward.Echo" + count++;
    Login accepting = way.accepting(desk, serv);
    try (Proc accept =
        TpClient.start(accepting, "raw-dbus-tube-accept", service + "b", service, "credentials")) {
      accept.awaitLine("^ready");
      try (Proc offer =
          TpClient.start(
              way.offering(desk, serv), "dbus-tube-offer", service + "a", "#" + service, service)) {
        String name = accept.awaitLine("^initiator (:.*)").group(1);
        String address = accept.awaitLine("^address dbus (.*)").group(1);
        offer.awaitLine("^exported");
        Proc.Result result =
            accepting.run(
                "dbus-send",
                "--peer=" + address,
                "--dest=" + name,
                "--print-reply",
                "/org/tpforward/Echo",
                "org.tpforward.Echo.Echo",
                "string:hello from the room");
        assertThat(result.ok().out()).contains("sender=" + name).contains("hello from the room");
        assertThat(offer.isAlive()).as("one who leaves takes nobody along").isTrue();
        accept.closeStdin();
        accept.await().ok();
      }
    }
  }
}
