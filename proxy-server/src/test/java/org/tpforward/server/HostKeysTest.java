package org.tpforward.server;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.security.KeyPair;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class HostKeysTest {
  @TempDir Path directory;

  @Test
  void isMadeOnceAndIsTheSameAfterwards() throws Exception {
    Path file = directory.resolve("key");
    KeyPair made = HostKeys.load(List.of(file)).getFirst();
    assertThat(PosixFilePermissions.toString(Files.getPosixFilePermissions(file)))
        .isEqualTo("rw-------");
    KeyPair read = HostKeys.load(List.of(file)).getFirst();
    assertThat(HostKeys.describe(read))
        .isEqualTo(HostKeys.describe(made))
        .startsWith("ed25519 SHA256:");
    try (var files = Files.list(directory)) {
      assertThat(files).containsExactly(file);
    }
  }

  @Test
  void onlyTheFirstIsMade() {
    List<Path> files = List.of(directory.resolve("one"), directory.resolve("two"));
    assertThatExceptionOfType(ServerException.class)
        .isThrownBy(() -> HostKeys.load(files))
        .withMessageContaining("two");
  }

  @Test
  void oneThatOthersMayReadIsRefused() throws Exception {
    Path file = directory.resolve("key");
    HostKeys.load(List.of(file));
    Files.setPosixFilePermissions(file, PosixFilePermissions.fromString("rw-r-----"));
    assertThatExceptionOfType(ServerException.class)
        .isThrownBy(() -> HostKeys.load(List.of(file)))
        .withMessageContaining("chmod 600");
  }

  @Test
  void whatIsNoKeyIsRefused() throws Exception {
    Path file = directory.resolve("key");
    Files.createFile(
        file, PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rw-------")));
    assertThatExceptionOfType(ServerException.class)
        .isThrownBy(() -> HostKeys.load(List.of(file)))
        .withMessageContaining("no private key");
  }
}
