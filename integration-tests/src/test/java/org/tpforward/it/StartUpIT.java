package org.tpforward.it;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.util.List;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.tpforward.harness.AgentProcess;
import org.tpforward.harness.Java;
import org.tpforward.harness.Login;
import org.tpforward.harness.PrivateSshd;
import org.tpforward.harness.Proc;
import org.tpforward.harness.World;

/**
 * What is wrong is said in one line, with a documented exit status. Options of sshd, and a login as
 * another user of the machine, which tpforward-server does not have, are tested against sshd only;
 * so are names and routes, where there is no server.
 */
@NeedsSides
class StartUpIT {
  private static final int LINK = 255;
  private static final int REMOTE_BUS = 5;

  private static World world;

  @BeforeAll
  static void open() {
    world = World.apartWithEither("--profile", "gabble");
  }

  @AfterAll
  static void close() {
    world.close();
  }

  private static String fails(int status, String... options) {
    return fails(status, world.destination(options));
  }

  private static String fails(int status, List<String> arguments) {
    try (Proc agent = AgentProcess.launch(world.desk(), arguments.toArray(String[]::new))) {
      Proc.Result result = agent.await();
      assertThat(result.out()).isEmpty();
      assertThat(result.err().lines()).as(result.err()).hasSize(1);
      assertThat(result.status()).as(result.err()).isEqualTo(status);
      return result.err();
    }
  }

  @Test
  @EitherServer
  void nobodyListens() {
    assertThat(fails(LINK, "-p", "1")).contains("192.0.2.2").contains("refuse");
  }

  @Test
  void noRoute() {
    assertThat(fails(LINK, List.of("198.51.100.1"))).contains("198.51.100.1");
  }

  @Test
  void theNameIsUnknown() {
    assertThat(fails(LINK, List.of("nowhere.invalid"))).contains("nowhere.invalid");
  }

  @Test
  @EitherServer
  void notAnSshServer() {
    String address = world.server().address();
    try (Proc other =
        world
            .serv()
            .start(Java.command(world.server(), "org.tpforward.harness.NotSsh", address, "2525"))) {
      other.awaitLine("listening");
      assertThat(fails(LINK, "-p", "2525")).containsIgnoringCase("not an SSH server");
    }
  }

  @Test
  @EitherServer
  void theHostKeyChanged() throws IOException {
    Login desk = world.desk();
    String other = desk.home() + "/other_hosts";
    String key = Files.readString(desk.place().path(desk.home() + "/.ssh/id_ed25519.pub"));
    String host = world.ssh().knownHost().split(" ", 2)[0];
    desk.run("sh", "-c", "echo '" + host + " " + key.strip() + "' >" + other).ok();
    assertThat(fails(LINK, "-o", "UserKnownHostsFile=" + other))
        .containsIgnoringCase("host key")
        .containsIgnoringCase("changed");
    assertThat(fails(LINK, "-o", "UserKnownHostsFile=" + other, "-o", "StrictHostKeyChecking=no"))
        .containsIgnoringCase("changed");
  }

  @Test
  @EitherServer
  void theHostKeyIsUnknownAndNobodyCanBeAsked() {
    assertThat(fails(LINK, "-o", "UserKnownHostsFile=/dev/null")).containsIgnoringCase("host key");
  }

  @Test
  @EitherServer
  void noKeyIsAccepted() {
    Login desk = world.desk();
    desk.run("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", desk.home() + "/other").ok();
    desk.run("sh", "-c", "sed '/IdentityFile/d' .ssh/config >only").ok();
    assertThat(
            fails(
                LINK,
                List.of(
                    "-F",
                    desk.home() + "/only",
                    "-i",
                    desk.home() + "/other",
                    "-o",
                    "IdentitiesOnly=yes",
                    "server")))
        .containsIgnoringCase("publickey");
  }

  @Test
  void theServerForbidsStreamlocal() {
    try (PrivateSshd strict =
        PrivateSshd.start(world.server(), 2201, "AllowStreamLocalForwarding no")) {
      accept(strict);
      assertThat(fails(REMOTE_BUS, "-p", "2201")).contains("AllowStreamLocalForwarding");
    }
  }

  private static void accept(PrivateSshd sshd) {
    world
        .server()
        .admin()
        .run("cp", "-r", world.sshd().directory() + "/authorized_keys", sshd.directory())
        .ok();
    Login desk = world.desk();
    desk.run("sh", "-c", "echo '" + sshd.knownHost() + "' >>.ssh/known_hosts").ok();
  }

  @Test
  @EitherServer
  void theRemoteBusIsMissing() {
    assertThat(fails(REMOTE_BUS, "--remote-bus", "unix:path=/nowhere/bus"))
        .contains("/nowhere/bus");
  }

  @Test
  void theRemoteUserHasNoBus() {
    assertThat(fails(REMOTE_BUS, "-o", "User=stranger"))
        .contains("/run/user/20003/bus")
        .contains("--remote-bus");
  }
}
