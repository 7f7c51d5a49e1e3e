package org.tpforward.it;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.util.List;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.tpforward.harness.Login;
import org.tpforward.harness.OneMachine;
import org.tpforward.harness.Proc;
import org.tpforward.harness.User;

/** What bin/tpforward does with an AOT cache; that one can be made is what bin/aot shows. */
class AotCacheIT {
  @TempDir Path directory;

  @BeforeEach
  void copyTheProgram() {
    run(
        "mkdir -p proxy-client && cp -a \"$PROGRAM/bin\" . && mkdir proxy-client/target && cp -a"
            + " \"$PROGRAM\"/proxy-client/target/{tpforward-client.jar,lib} proxy-client/target/");
  }

  @Test
  void aCacheThatIsNoneCostsOnlyTime() throws Exception {
    Path cache = Path.of(cacheName());
    Files.createDirectories(cache.getParent());
    Files.writeString(cache, "this is no cache");
    Proc.Result result = run("bin/tpforward --version");
    assertThat(result.out()).startsWith("tpforward ").hasLineCount(2);
  }

  @Test
  void aCacheIsNotThatOfAnotherBuild() throws Exception {
    String before = cacheName();
    assertThat(cacheName()).isEqualTo(before);
    Path jar = directory.resolve("proxy-client/target/tpforward-client.jar");
    Files.setLastModifiedTime(jar, FileTime.fromMillis(1_000_000_000_000L));
    assertThat(cacheName()).isNotEqualTo(before);
  }

  @Test
  void aCacheIsNotThatOfOtherOptions() {
    String before = cacheName();
    assertThat(run(". bin/lib.sh; tp_need_jdk; TP_JAVA_OPTS+=(-Xmx65m); tp_aot_file").out())
        .isNotEqualTo(before + "\n");
  }

  private String cacheName() {
    return run(". bin/lib.sh; tp_need_jdk; tp_aot_file").out().strip();
  }

  private Proc.Result run(String script) {
    try (OneMachine machine = OneMachine.open()) {
      Login login = machine.login(User.current()).with("PROGRAM", machine.program());
      return login.run(List.of("bash", "-c", "cd '" + directory + "' && " + script)).ok();
    }
  }
}
