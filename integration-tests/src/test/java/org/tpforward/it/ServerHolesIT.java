package org.tpforward.it;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.StandardOpenOption;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.tpforward.harness.Login;
import org.tpforward.harness.PrivateBus;
import org.tpforward.harness.Proc;
import org.tpforward.harness.World;

/**
 * What a CM hands out is one user's, while its channel lives, by that very path, and while the CM
 * is who listens there; OpenSSH's client finds no way around. See HandedOutTest for lies on the
 * bus.
 */
@NeedsSides
class ServerHolesIT {
  private static final String REFUSED = "\"event\":\"refused\".*\"target\":\"%s\".*\"why\":\".*%s";
  private static final String NOT_HANDED_OUT = "has handed that out";
  private static final String ECHOED = "b'hello'";
  private static final String ENDED = "b''";

  private World world;
  private Login desk;
  private SshForward bus;
  private TubeAccount bob;
  private TubeAccount alice;

  /** The server's path of the socket of a tube called echo. */
  private String path;

  @BeforeEach
  void open() {
    world = World.apartWithServer("--profile", "gabble");
    desk = world.desk();
    bus = new SshForward(desk, "/bus");
    bob = TubeAccount.start(world.serv(), "bob");
    alice = TubeAccount.start(bus.bus(), "alice");
    bob.ask("offer echo alice 0:0 ECHO");
    path = alice.ask("accept echo 0:0").split(" unix:", 2)[1];
  }

  @AfterEach
  void close() {
    alice.close();
    bob.close();
    bus.close();
    world.close();
  }

  private void assertRefused(SshForward forward, String target, String why) {
    long mark = world.own().daemon().mark();
    assertThat(forward.hello()).isEqualTo(ENDED);
    world.own().daemon().awaitLine(REFUSED.formatted(target, why), mark);
  }

  @Test
  void aSocketIsRefusedOnceItsChannelHasClosed() {
    try (SshForward forward = new SshForward(desk, path)) {
      assertThat(forward.hello()).isEqualTo(ECHOED);
      alice.ask("close echo");
      bob.ask("close echo");
      assertRefused(forward, path, "or its channel is closed");
      // The same login goes on.
      bob.ask("offer more alice 0:0 ECHO");
      String other = alice.ask("accept more 0:0").split(" unix:", 2)[1];
      try (SshForward more = new SshForward(desk, other)) {
        assertThat(more.hello()).isEqualTo(ECHOED);
      }
    }
  }

  @Test
  void theSamePlaceUnderAnotherNameIsNotHandedOut() {
    int slash = path.lastIndexOf('/');
    String parent = path.substring(0, slash);
    String last = parent.substring(parent.lastIndexOf('/'));
    for (String name :
        new String[] {
          parent + "/.." + last + path.substring(slash), parent + "/" + path.substring(slash)
        }) {
      try (SshForward forward = new SshForward(desk, name)) {
        assertRefused(forward, name, NOT_HANDED_OUT);
      }
    }
  }

  @Test
  void aLinkInThePlaceOfTheSocketLeadsNowhere() {
    String script =
        """
        import socket
        s = socket.socket(socket.AF_UNIX)
        s.bind('/home/serv/other')
        s.listen()
        print('listening', flush=True)
        while True: s.accept()[0].sendall(b'secret')
        """;
    try (Proc service = world.serv().start("python3", "-c", script);
        SshForward forward = new SshForward(desk, path)) {
      service.awaitLine("^listening");
      assertThat(forward.hello()).isEqualTo(ECHOED);
      world.serv().run("ln", "-sf", "/home/serv/other", path).ok();
      assertRefused(forward, path, "pid ");
    }
  }

  @Test
  void whatIsOneUsersIsNotAnothers() throws IOException {
    Login serv = world.serv();
    String directory = serv.runtimeDir() + "/second";
    serv.run("mkdir", directory).ok();
    Login second =
        new Login(serv.place(), serv.user(), serv.home(), directory, serv.environment())
            .with("XDG_RUNTIME_DIR", directory);
    try (PrivateBus own = PrivateBus.start(second, "--profile", "gabble")) {
      desk.run("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", "other").ok();
      desk.run("sh", "-c", "sed '/IdentityFile/d' .ssh/config >.ssh/bare").ok();
      Files.writeString(
          world.server().path(world.own().directory() + "/authorized_keys"),
          "environment=\"TPFORWARD_BUS="
              + own.address()
              + "\" "
              + Files.readString(desk.place().path(desk.home() + "/other.pub")),
          StandardOpenOption.APPEND);
      world.own().reload();
      String[] identity = {"-F", ".ssh/bare", "-o", "IdentitiesOnly=yes", "-i", "other"};
      for (String target : new String[] {path, world.bus().socket() + "/../bus"}) {
        try (SshForward forward = new SshForward(desk, target, identity)) {
          assertRefused(forward, target, NOT_HANDED_OUT);
        }
      }
      // By the name of any user's bus he reaches the one that his key's line names.
      String account = "org.freedesktop.Telepathy.Connection.loopback.loopback.bob";
      try (SshForward theirs = new SshForward(desk, world.bus().socket(), identity)) {
        assertThat(names(theirs)).contains("org.freedesktop.DBus").doesNotContain(account);
        assertThat(names(bus)).contains(account);
      }
      try (SshForward mine = new SshForward(desk, path)) {
        assertThat(mine.hello()).isEqualTo(ECHOED);
      }
    }
  }

  private static String names(SshForward bus) {
    return bus.bus().run("busctl", "--user", "list").ok().out();
  }
}
