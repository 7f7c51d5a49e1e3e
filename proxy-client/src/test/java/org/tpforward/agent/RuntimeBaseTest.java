package org.tpforward.agent;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

final class RuntimeBaseTest {
  private static final long OWN = RuntimeBase.ownUid();

  @TempDir Path temporary;

  @Test
  void isBelowTheRuntimeDirectory() throws Exception {
    assertThat(find(temporary.toString())).isEqualTo(temporary.resolve("tpforward"));
  }

  @Test
  void fallsBackToTheDirectoryThatSystemdMakes() throws Exception {
    Path usual = Files.createDirectory(temporary.resolve(Long.toString(OWN)));
    Files.setPosixFilePermissions(usual, PosixFilePermissions.fromString("rwx------"));
    assertThat(RuntimeBase.find(Map.of(), temporary)).isEqualTo(usual.resolve("tpforward"));
    assertThat(RuntimeBase.find(Map.of("XDG_RUNTIME_DIR", ""), temporary))
        .isEqualTo(usual.resolve("tpforward"));
  }

  @Test
  void saysWhatToSetWhereThereIsNone() {
    AgentException e =
        catchThrowableOfType(
            AgentException.class, () -> RuntimeBase.find(Map.of(), temporary.resolve("none")));
    assertThat(e.exitCode()).isEqualTo(ExitCode.RUNTIME_DIRECTORY);
    assertThat(e.line())
        .isEqualTo(
            "XDG_RUNTIME_DIR is not set, and "
                + temporary.resolve("none").resolve(Long.toString(OWN))
                + " is no directory of yours;"
                + " set it to a directory of yours with mode 0700");
  }

  @Test
  void refusesADirectoryThatIsNotThere() {
    Path missing = temporary.resolve("missing");
    assertThat(refused(missing.toString()))
        .isEqualTo("XDG_RUNTIME_DIR=" + missing + " does not exist; create it with mode 0700");
  }

  @Test
  void refusesAFile() throws Exception {
    Path file = Files.writeString(temporary.resolve("file"), "x");
    assertThat(refused(file.toString())).isEqualTo("XDG_RUNTIME_DIR=" + file + " is no directory");
  }

  @Test
  void refusesARelativePath() {
    assertThat(refused("run"))
        .isEqualTo("XDG_RUNTIME_DIR=run is not an absolute path; give it in full");
  }

  @Test
  void refusesASymbolicLink() throws Exception {
    Path link =
        Files.createSymbolicLink(
            temporary.resolve("link"), Files.createDirectory(temporary.resolve("real")));
    assertThat(refused(link.toString()))
        .isEqualTo("XDG_RUNTIME_DIR=" + link + " is a symbolic link; name the directory itself");
  }

  @Test
  void refusesWhatOthersCanChange() throws Exception {
    Path open = Files.createDirectory(temporary.resolve("open"));
    Files.setPosixFilePermissions(open, PosixFilePermissions.fromString("rwxrwxrwx"));
    assertThat(refused(open.toString()))
        .isEqualTo(
            "XDG_RUNTIME_DIR=" + open + " can be changed by others (mode 0777); chmod 700 it");
  }

  @Test
  void takesADirectoryWhereTheStickyBitProtectsOurs() throws Exception {
    Path sticky = Files.createDirectory(temporary.resolve("sticky"));
    Files.setAttribute(sticky, "unix:mode", 01777);
    assertThat(find(sticky.toString())).isEqualTo(sticky.resolve("tpforward"));
  }

  @Test
  void refusesADirectoryOfSomebodyElse() throws Exception {
    // Whoever runs this, root's and nobody's directories are not both one's own.
    long other = OWN == 0 ? 65534 : 0;
    Path theirs = Files.createDirectory(temporary.resolve("theirs"));
    assertThat(RuntimeBase.problem(theirs, other, 0))
        .isEqualTo("belongs to uid " + OWN + ", and this is uid " + other);
  }

  private static Path find(String value) throws AgentException {
    return RuntimeBase.find(Map.of("XDG_RUNTIME_DIR", value));
  }

  private static String refused(String value) {
    AgentException e = catchThrowableOfType(AgentException.class, () -> find(value));
    assertThat(e).isNotNull();
    assertThat(e.exitCode()).isEqualTo(ExitCode.RUNTIME_DIRECTORY);
    return e.line();
  }
}
