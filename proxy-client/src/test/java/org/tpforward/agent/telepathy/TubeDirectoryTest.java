package org.tpforward.agent.telepathy;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.tpforward.socket.Endpoint;
import org.tpforward.socket.Listener;

/** What a killed {@code tube offer} left goes with the next; a living one's stays. */
class TubeDirectoryTest {
  @TempDir Path runtime;

  private static long deadPid() throws Exception {
    Process process = new ProcessBuilder("true").start();
    process.waitFor();
    return process.pid();
  }

  private Path directory(long pid, boolean socket) throws IOException {
    Path directory = Files.createDirectory(runtime.resolve("tpforward-tube-" + pid + "-1"));
    if (socket) {
      Files.createFile(TubeDirectory.socket(directory));
    }
    return directory;
  }

  @Test
  void isPrivate() throws Exception {
    Path directory = TubeDirectory.create(runtime);
    assertThat(PosixFilePermissions.toString(Files.getPosixFilePermissions(directory)))
        .isEqualTo("rwx------");
  }

  @Test
  void whatDeadProcessesLeftIsRemoved() throws Exception {
    Path withSocket = directory(deadPid(), true);
    Path without = directory(deadPid(), false);
    TubeDirectory.create(runtime);
    assertThat(withSocket).doesNotExist();
    assertThat(without).doesNotExist();
  }

  @Test
  void whatALivingProcessHasStays() throws Exception {
    Path mine = TubeDirectory.create(runtime);
    Path other = directory(ProcessHandle.current().pid(), true);
    TubeDirectory.create(runtime);
    assertThat(mine).exists();
    assertThat(other).exists();
  }

  @Test
  void whereSomebodyListensStaysWhateverThePidSays() throws Exception {
    Path directory = directory(deadPid(), false);
    String socket = TubeDirectory.socket(directory).toString();
    try (Listener _ = Listener.open(new Endpoint.UnixPath(socket))) {
      TubeDirectory.create(runtime);
      assertThat(directory).exists();
    }
  }

  @Test
  void othersNamesStay() throws Exception {
    Path other = Files.createDirectory(runtime.resolve("tpforward-tube-x"));
    TubeDirectory.create(runtime);
    assertThat(other).exists();
  }
}
