package org.tpforward.server;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class ListenDirectoryTest {
  @TempDir Path parent;

  @Test
  void isPrivateAndGoesWithItsServer() throws Exception {
    Path path = parent.resolve("d");
    try (ListenDirectory directory = ListenDirectory.open(path)) {
      assertThat(directory.path()).isEqualTo(path);
      assertThat(PosixFilePermissions.toString(Files.getPosixFilePermissions(path)))
          .isEqualTo("rwx------");
    }
    assertThat(path).doesNotExist();
  }

  @Test
  void hasOneServerAtATime() throws Exception {
    Path path = parent.resolve("d");
    try (ListenDirectory _ = ListenDirectory.open(path)) {
      assertThatExceptionOfType(ServerException.class)
          .isThrownBy(() -> ListenDirectory.open(path))
          .withMessageContaining("another tpforward-server");
      assertThat(path).exists();
    }
  }

  @Test
  void whatAKilledServerLeftIsRemoved() throws Exception {
    Path path = parent.resolve("d");
    Files.createDirectory(
        path, PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rwx------")));
    Files.createFile(path.resolve(".lock"));
    Path left = Files.createFile(path.resolve("socket"));
    try (ListenDirectory _ = ListenDirectory.open(path)) {
      assertThat(left).doesNotExist();
    }
  }

  @Test
  void oneThatOthersMayEnterIsRefused() throws Exception {
    Path path = parent.resolve("d");
    Files.createDirectory(path);
    Files.setPosixFilePermissions(path, PosixFilePermissions.fromString("rwxr-xr-x"));
    assertThatExceptionOfType(ServerException.class)
        .isThrownBy(() -> ListenDirectory.open(path))
        .withMessageContaining("0700");
    Path link = Files.createSymbolicLink(parent.resolve("link"), path);
    assertThatExceptionOfType(ServerException.class).isThrownBy(() -> ListenDirectory.open(link));
  }

  @Test
  void liesWhereServicesHaveTheirs() {
    assertThat(ListenDirectory.usual(Map.of("RUNTIME_DIRECTORY", "/run/a:/run/b"), 22))
        .hasToString("/run/a/tpforward-server-22");
    assertThat(ListenDirectory.usual(Map.of("XDG_RUNTIME_DIR", "/run/user/7"), 22))
        .hasToString("/run/user/7/tpforward-server-22");
  }
}
