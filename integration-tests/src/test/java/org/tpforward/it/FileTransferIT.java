package org.tpforward.it;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;
import org.tpforward.demo.BigFile;
import org.tpforward.harness.AgentProcess;
import org.tpforward.harness.Java;
import org.tpforward.harness.Login;
import org.tpforward.harness.Proc;
import org.tpforward.harness.User;
import org.tpforward.harness.World;

/**
 * Files from side to side: by telepathy-glib, by hand over each kind of socket, and by tpforward.
 */
@NeedsSides
@EitherServer
class FileTransferIT {
  private static final String STREAMLOCAL = "direct-streamlocal";

  private static World world;
  private static AgentProcess agent;

  /** On the desktop, on the agent's bus. */
  private static Login desk;

  /** On the server, on its own bus. */
  private static Login serv;

  private static int count;

  /** One file on one side, and where it is to arrive on the other. */
  private record Job(
      Login from,
      String sender,
      Login to,
      String receiver,
      String file,
      String inbox,
      String checksum) {
    static Job of(Login from, Login to, int mebibytes) throws IOException {
      int number = count++;
      String name = "file-" + number;
      String file = from.home() + "/" + name;
      String inbox = to.home() + "/inbox-" + name;
      to.run("mkdir", inbox).ok();
      String checksum = BigFile.write(from.place().path(file), mebibytes);
      from.place().admin().run("chmod", "644", file).ok();
      // Accounts of its own: what another test leaves undone is none of this one's channels.
      return new Job(from, "s" + number, to, "r" + number, file, inbox, checksum);
    }

    Path arrived() {
      return to.place().path(inbox + file.substring(file.lastIndexOf('/')));
    }

    void assertArrived() throws IOException {
      assertThat(BigFile.checksum(arrived())).isEqualTo(checksum);
    }
  }

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

  static Stream<Arguments> kinds() {
    return Stream.of(
        Arguments.of("unix", "localhost"),
        Arguments.of("unix", "credentials"),
        Arguments.of("abstract", "localhost"),
        Arguments.of("abstract", "credentials"),
        Arguments.of("ipv4", "localhost"),
        Arguments.of("ipv4", "port"),
        Arguments.of("ipv6", "localhost"),
        Arguments.of("ipv6", "port"));
  }

  @ParameterizedTest
  @MethodSource("kinds")
  void comesInOverAnyKindOfSocketOnOneChannel(String type, String access) throws IOException {
    Job job = Job.of(serv, desk, 3);
    try (Proc receive =
        TpClient.start(desk, "raw-receive", job.receiver(), job.inbox(), "1", type, access)) {
      receive.awaitLine("^ready");
      long mark = world.ssh().daemon().mark();
      try (Proc send = TpClient.start(serv, "send", job.sender(), job.receiver(), job.file())) {
        receive.await().ok();
        send.await().ok();
      }
      assertThat(world.ssh().daemon().linesSince(mark, world.ssh().channelOpened(STREAMLOCAL)))
          .hasSize(1);
    }
    job.assertArrived();
  }

  @ParameterizedTest
  @MethodSource("kinds")
  void goesOutOverAnyKindOfSocket(String type, String access) throws IOException {
    Job job = Job.of(desk, serv, 3);
    try (Proc receive = TpClient.start(serv, "receive", job.receiver(), job.inbox(), "1")) {
      receive.awaitLine("^ready");
      try (Proc send =
          TpClient.start(
              desk, "raw-send", job.sender(), job.receiver(), job.file(), type, access)) {
        send.await().ok();
        receive.await().ok();
      }
    }
    job.assertArrived();
  }

  @Test
  void telepathyGlibsOwnClassReceives() throws IOException {
    Job job = Job.of(serv, desk, 16);
    try (Proc receive = TpClient.start(desk, "receive", job.receiver(), job.inbox(), "1")) {
      receive.awaitLine("^ready");
      try (Proc send = TpClient.start(serv, "send", job.sender(), job.receiver(), job.file())) {
        send.await().ok();
        receive.await().ok();
      }
    }
    job.assertArrived();
  }

  @Test
  void telepathyGlibsOwnClassSends() throws IOException {
    Job job = Job.of(desk, serv, 16);
    try (Proc receive = TpClient.start(serv, "receive", job.receiver(), job.inbox(), "1")) {
      receive.awaitLine("^ready");
      try (Proc send = TpClient.start(desk, "send", job.sender(), job.receiver(), job.file())) {
        send.await().ok();
        receive.await().ok();
      }
    }
    job.assertArrived();
  }

  @Test
  void bothClientsMayBeBehindTheAgent() throws IOException {
    Job job = Job.of(desk, desk, 4);
    try (Proc receive = TpClient.start(desk, "receive", job.receiver(), job.inbox(), "1")) {
      receive.awaitLine("^ready");
      try (Proc send = TpClient.start(desk, "send", job.sender(), job.receiver(), job.file())) {
        send.await().ok();
        receive.await().ok();
      }
    }
    job.assertArrived();
  }

  @Test
  void aPartIsResumedAtItsOffset() throws IOException {
    Job job = Job.of(serv, desk, 4);
    long part = 1_500_000;
    String name = job.file().substring(job.file().lastIndexOf('/'));
    desk.run("touch", job.inbox() + name).ok();
    byte[] all = Files.readAllBytes(job.from().place().path(job.file()));
    Files.write(job.arrived(), java.util.Arrays.copyOf(all, (int) part));
    try (Proc receive =
        TpClient.start(
            desk,
            "raw-receive",
            job.receiver(),
            job.inbox(),
            "1",
            "unix",
            "localhost",
            "" + part)) {
      receive.awaitLine("^ready");
      try (Proc send =
          TpClient.start(
              serv, "raw-send", job.sender(), job.receiver(), job.file(), "unix", "localhost")) {
        send.awaitLine("^offset " + part);
        receive.await().ok();
        send.await().ok();
      }
    }
    job.assertArrived();
  }

  @Test
  void theCommandLineSendsAndReceives() throws IOException {
    Job job = Job.of(desk, serv, 8);
    try (Proc receive =
        serv.start(
            serv.tpforward(
                "receive",
                "--account",
                "loopback:" + job.receiver(),
                "--once",
                "--dir",
                job.inbox()))) {
      receive.awaitLine("(?i)waiting|ready");
      desk.run(
              desk.tpforward(
                  "send", "--account", "loopback:" + job.sender(), job.receiver(), job.file()))
          .ok();
      receive.await().ok();
    }
    job.assertArrived();

    Job back = Job.of(serv, desk, 8);
    try (Proc receive =
        desk.start(
            desk.tpforward(
                "receive",
                "--account",
                "loopback:" + back.receiver(),
                "--once",
                "--dir",
                back.inbox()))) {
      receive.awaitLine("(?i)waiting|ready");
      serv.run(
              serv.tpforward(
                  "send", "--account", "loopback:" + back.sender(), back.receiver(), back.file()))
          .ok();
      receive.await().ok();
    }
    back.assertArrived();
  }

  static Stream<Arguments> openKinds() {
    return kinds().filter(kind -> kind.get()[1].equals("localhost"));
  }

  @ParameterizedTest
  @MethodSource("openKinds")
  void anotherUserAtItsSocketIsDisconnectedAndTheRightfulOneServed(String type, String access)
      throws IOException {
    Job job = Job.of(serv, desk, 1);
    try (Proc receive =
        TpClient.start(
            desk.with("TPCLIENT_PAUSE", "address"),
            "raw-receive",
            job.receiver(),
            job.inbox(),
            "1",
            type,
            access)) {
      receive.awaitLine("^ready");
      try (Proc send = TpClient.start(serv, "send", job.sender(), job.receiver(), job.file())) {
        var address = receive.awaitLine("^address (\\S+) (\\S+)");
        receive.awaitLine("^paused");
        long mark = world.ssh().daemon().mark();
        String where =
            switch (address.group(1)) {
              case "unix" -> "unix:" + address.group(2);
              case "abstract" -> "unix:@" + address.group(2);
              default -> "[" + address.group(1) + "]:" + address.group(2);
            };
        Login root = world.desktop().login(User.ROOT);
        String outcome =
            root.run(Java.command(world.desktop(), "org.tpforward.harness.Probe", where, "me"))
                .ok()
                .out()
                .strip();
        assertThat(outcome).isIn("closed 0", "reset 0");
        assertThat(world.ssh().daemon().linesSince(mark, world.ssh().channelOpened(STREAMLOCAL)))
            .isEmpty();
        receive.stdin().write('\n');
        receive.closeStdin();
        receive.await().ok();
        send.await().ok();
      }
    }
    job.assertArrived();
  }

  @Test
  void aHundredAtOnceAllArriveAndLeaveNothing() throws IOException {
    int files = 100;
    serv.run("mkdir", "-p", "many").ok();
    String[] names = new String[files + 3];
    names[0] = "send";
    names[1] = "erin";
    names[2] = "many";
    for (int i = 0; i < files; i++) {
      names[i + 3] = serv.home() + "/many/" + i;
      BigFile.write(serv.place().path(names[i + 3]), 1);
    }
    serv.place().admin().run("chmod", "-R", "a+rX", serv.home() + "/many").ok();
    desk.run("mkdir", "-p", "many").ok();
    Held before = Held.withoutClients(agent);
    try (Proc receive =
        TpClient.start(desk, "receive", "many", desk.home() + "/many", Integer.toString(files))) {
      receive.awaitLine("^ready");
      try (Proc send = TpClient.start(serv, names)) {
        send.await().ok();
        receive.await().ok();
        for (int i = 3; i < names.length; i++) {
          String name = names[i].substring(names[i].lastIndexOf('/'));
          assertThat(BigFile.checksum(desk.place().path(desk.home() + "/many" + name)))
              .isEqualTo(BigFile.checksum(serv.place().path(names[i])));
        }
      }
    }
    before.awaitNoMoreBy(agent);
  }
}
