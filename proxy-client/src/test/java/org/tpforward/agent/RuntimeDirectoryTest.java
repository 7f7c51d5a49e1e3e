package org.tpforward.agent;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import java.net.StandardProtocolFamily;
import java.net.UnixDomainSocketAddress;
import java.nio.channels.ServerSocketChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

final class RuntimeDirectoryTest {
  @TempDir Path temporary;
  Path base;

  @BeforeEach
  void findBase() {
    base = temporary.resolve("tpforward");
  }

  @Test
  void isForItsOwnerAlone() throws Exception {
    try (RuntimeDirectory directory = RuntimeDirectory.claim(base, "alice", false)) {
      assertThat(modes(base)).isEqualTo("rwx------");
      assertThat(modes(directory.path())).isEqualTo("rwx------");
      assertThat(modes(directory.sockets())).isEqualTo("rwx------");
    }
  }

  @Test
  void letsOthersPassButNotLookWhenShared() throws Exception {
    RuntimeDirectory.claim(base, "earlier", false).close();
    try (RuntimeDirectory directory = RuntimeDirectory.claim(base, "alice", true)) {
      assertThat(modes(base)).isEqualTo("rwx--x--x");
      assertThat(modes(directory.path())).isEqualTo("rwx--x--x");
      assertThat(modes(directory.sockets())).isEqualTo("rwx--x--x");
    }
  }

  @Test
  void namesItsProcessAndItsSockets() throws Exception {
    try (RuntimeDirectory directory = RuntimeDirectory.claim(base, "alice", false)) {
      assertThat(directory.path()).isEqualTo(base.resolve("alice"));
      assertThat(directory.bus()).isEqualTo(base.resolve("alice/bus"));
      assertThat(Leftovers.pid(directory.path())).isEqualTo(ProcessHandle.current().pid());
      Set<Path> sockets = new HashSet<>();
      for (int i = 0; i < 100; i++) {
        sockets.add(directory.socket());
      }
      assertThat(sockets).hasSize(100);
      assertThat(directory.socket().getParent()).isEqualTo(base.resolve("alice/f"));
      assertThat(String.valueOf(directory.socket().getFileName())).matches("[a-z0-9]{8}");
    }
  }

  @Test
  void leavesNothingWhenClosed() throws Exception {
    RuntimeDirectory directory = RuntimeDirectory.claim(base, "alice", false);
    Files.writeString(directory.socket(), "x");
    Files.writeString(directory.log(), "x");
    directory.close();
    directory.close();
    assertThat(base).doesNotExist();
    RuntimeDirectory.claim(base, "alice", false).close();
  }

  @Test
  void keepsOtherAgentsWhenClosed() throws Exception {
    try (RuntimeDirectory bob = RuntimeDirectory.claim(base, "bob", false)) {
      RuntimeDirectory.claim(base, "alice", false).close();
      assertThat(bob.path()).isDirectory();
      assertThat(base.resolve("alice")).doesNotExist();
    }
  }

  @Test
  void refusesANameTwiceInOneProcess() throws Exception {
    try (RuntimeDirectory directory = RuntimeDirectory.claim(base, "alice", false)) {
      AgentException e = refused(base, "alice");
      assertThat(e.line())
          .isEqualTo(
              "an agent named \"alice\" runs already (pid "
                  + ProcessHandle.current().pid()
                  + "); give this one another --name, or end that one: tpforward stop alice");
      assertThat(directory.path()).isDirectory();
    }
  }

  @Test
  void oneOfTwoProcessesWins() throws Exception {
    try (ChildJvm one = ChildJvm.start(List.of(), ClaimMain.class, base.toString(), "alice");
        ChildJvm two = ChildJvm.start(List.of(), ClaimMain.class, base.toString(), "alice")) {
      String first = one.line();
      String second = two.line();
      ChildJvm winner = "claimed".equals(first) ? one : two;
      assertThat(List.of(first, second))
          .containsExactlyInAnyOrder(
              "claimed",
              "refused RUNTIME_DIRECTORY an agent named \"alice\" runs already (pid "
                  + winner.handle().pid()
                  + "); give this one another --name, or end that one: tpforward stop alice");
      winner.endInput();
      assertThat(winner.exitStatus()).isZero();
    }
    assertThat(base).doesNotExist();
  }

  @Test
  void takesOverWhatAKilledAgentLeft() throws Exception {
    try (ChildJvm agent = ChildJvm.start(List.of(), ClaimMain.class, base.toString(), "alice")) {
      assertThat(agent.line()).isEqualTo("claimed");
      agent.kill();
    }
    assertThat(base.resolve("alice/bus")).exists();
    try (RuntimeDirectory directory = RuntimeDirectory.claim(base, "alice", false)) {
      assertThat(directory.bus()).doesNotExist();
      assertThat(directory.sockets()).isEmptyDirectory();
    }
  }

  @Test
  void sweepsUpAfterOthersThatWereKilledAndSparesTheLiving() throws Exception {
    try (ChildJvm dead = ChildJvm.start(List.of(), ClaimMain.class, base.toString(), "dead");
        ChildJvm living = ChildJvm.start(List.of(), ClaimMain.class, base.toString(), "living")) {
      assertThat(dead.line()).isEqualTo("claimed");
      assertThat(living.line()).isEqualTo("claimed");
      dead.kill();
      try (RuntimeDirectory directory = RuntimeDirectory.claim(base, "alice", false)) {
        assertThat(base.resolve("dead")).doesNotExist();
        assertThat(base.resolve("living/bus")).exists();
        assertThat(base.resolve("living/f")).isNotEmptyDirectory();
        assertThat(directory.path()).isDirectory();
      }
    }
  }

  @Test
  void touchesNothingWhereSomebodyListensThoughTheLockIsFree() throws Exception {
    Path alice = Files.createDirectories(base.resolve("alice"));
    Files.setPosixFilePermissions(base, PosixFilePermissions.fromString("rwx------"));
    Files.setPosixFilePermissions(alice, PosixFilePermissions.fromString("rwx------"));
    try (ServerSocketChannel bus = ServerSocketChannel.open(StandardProtocolFamily.UNIX)) {
      bus.bind(UnixDomainSocketAddress.of(alice.resolve("bus")));
      assertThat(refused(base, "alice").line()).contains("\"alice\" runs already");
      assertThat(alice.resolve("bus")).exists();
    }
  }

  @Test
  void doesNotFollowASymbolicLinkInTheNamesPlace() throws Exception {
    RuntimeDirectory.claim(base, "alice", false).close();
    Path elsewhere = Files.createDirectory(temporary.resolve("elsewhere"));
    Files.writeString(elsewhere.resolve("precious"), "x");
    Files.createDirectories(base);
    Files.setPosixFilePermissions(base, PosixFilePermissions.fromString("rwx------"));
    Files.createSymbolicLink(base.resolve("alice"), elsewhere);
    assertThat(refused(base, "alice").line())
        .isEqualTo(base.resolve("alice") + " is a symbolic link; name the directory itself");
    assertThat(elsewhere.resolve("precious")).exists();
  }

  @Test
  void doesNotFollowASymbolicLinkWhenItCleansUp() throws Exception {
    Path elsewhere = Files.createDirectory(temporary.resolve("elsewhere"));
    Files.writeString(elsewhere.resolve("precious"), "x");
    RuntimeDirectory directory = RuntimeDirectory.claim(base, "alice", false);
    Files.createSymbolicLink(directory.sockets().resolve("link"), elsewhere);
    directory.close();
    assertThat(base).doesNotExist();
    assertThat(elsewhere.resolve("precious")).exists();
  }

  @Test
  void refusesWhatOthersCouldChange() throws Exception {
    Files.createDirectory(base);
    Files.setPosixFilePermissions(base, PosixFilePermissions.fromString("rwxrwxrwx"));
    assertThat(refused(base, "alice").line())
        .isEqualTo(base + " can be changed by others (mode 0777); chmod 700 it");
  }

  @Test
  void saysByHowMuchAPathIsTooLong() throws Exception {
    Path deep = base.resolve("d".repeat(100));
    AgentException e = refused(deep, "alice");
    int over = (deep + "/alice/f/12345678").length() - 107;
    assertThat(e.line())
        .isEqualTo(
            deep.resolve("alice")
                + " is too long for sockets in it, by "
                + over
                + " bytes; set XDG_RUNTIME_DIR to a shorter path, or use a shorter --name");
    assertThat(deep).doesNotExist();
  }

  @Test
  void takesNoNameThatLeadsElsewhere() {
    for (String name : List.of("", ".", "..", "../x", "a/b", "-k", ".x", "a b", "x".repeat(33))) {
      AgentException e =
          catchThrowableOfType(
              AgentException.class, () -> RuntimeDirectory.claim(base, name, false).close());
      assertThat(e).as(name).isNotNull();
      assertThat(e.exitCode()).isEqualTo(ExitCode.USAGE);
    }
    assertThat(base).doesNotExist();
  }

  private static AgentException refused(Path base, String name) {
    AgentException e =
        catchThrowableOfType(
            AgentException.class, () -> RuntimeDirectory.claim(base, name, false).close());
    assertThat(e).isNotNull();
    assertThat(e.exitCode()).isEqualTo(ExitCode.RUNTIME_DIRECTORY);
    return e;
  }

  private static String modes(Path path) throws Exception {
    return PosixFilePermissions.toString(Files.getPosixFilePermissions(path));
  }
}
