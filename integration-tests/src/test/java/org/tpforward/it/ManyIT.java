package org.tpforward.it;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.tpforward.demo.BigFile;
import org.tpforward.harness.AgentProcess;
import org.tpforward.harness.Java;
import org.tpforward.harness.Login;
import org.tpforward.harness.Proc;
import org.tpforward.harness.World;

/** Many at once: all complete, and nothing of them is left in the agent. */
@NeedsSides
class ManyIT {
  private static World world;
  private static AgentProcess agent;
  private static Login desk;
  private static Login serv;

  /**
   * What an agent holds of the system.
   *
   * @param threads those of bus clients and of streams: how many the JVM has of its own is its own
   */
  private record Held(long descriptors, long threads) {
    static Held by(AgentProcess agent) {
      Path process = Path.of("/proc/" + agent.proc().handle().pid());
      try (Stream<Path> descriptors = Files.list(process.resolve("fd"));
          Stream<Path> threads = Files.list(process.resolve("task"))) {
        return new Held(
            descriptors.count(), threads.map(Held::name).filter(Held::isOfAClient).count());
      } catch (IOException e) {
        throw new UncheckedIOException(e);
      }
    }

    private static String name(Path thread) {
      try {
        return Files.readString(thread.resolve("comm"));
      } catch (IOException e) {
        return ""; // It has ended meanwhile.
      }
    }

    private static boolean isOfAClient(String name) {
      return name.startsWith("bus #")
          || name.startsWith("open ")
          || name.startsWith("INCOMING_FILE")
          || name.startsWith("OUTGOING_FILE");
    }
  }

  @BeforeAll
  static void open() {
    world = World.apart("--profile", "gabble");
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

  @Test
  void twoHundredBusClientsAtOnceAreAllServed() {
    crowd(2); // What is loaded and opened once, is.
    Held before = quiet();
    crowd(200);
    assertNothingIsLeft(before);
  }

  @Test
  void aHundredTransfersAtOnceAllComplete() throws IOException {
    transfers("warm", 1);
    Held before = quiet();
    transfers("many", 100);
    assertNothingIsLeft(before);
  }

  private static void crowd(int count) {
    String main = "org.tpforward.harness.BusCrowd";
    Proc.Result result =
        desk.run(Java.command(world.desktop(), main, agent.socket(), Integer.toString(count)));
    assertThat(result.ok().out()).contains("names " + count + " answers " + count);
  }

  private static void transfers(String name, int count) throws IOException {
    String inbox = desk.home() + "/inbox-" + name;
    desk.run("mkdir", inbox).ok();
    Map<String, String> checksums = new LinkedHashMap<>();
    for (int i = 0; i < count; i++) {
      String file = serv.home() + "/" + name + "-" + i;
      checksums.put(file, BigFile.write(serv.place().path(file), 1));
      serv.place().admin().run("chmod", "644", file).ok();
    }
    List<String> files = new ArrayList<>(List.of("send", name + "-from", name + "-to"));
    files.addAll(checksums.keySet());
    try (Proc receive =
        TpClient.start(desk, "receive", name + "-to", inbox, Integer.toString(count))) {
      receive.awaitLine("^ready");
      try (Proc send = TpClient.start(serv, files.toArray(String[]::new))) {
        send.await().ok();
        receive.await().ok();
      }
    }
    for (Map.Entry<String, String> file : checksums.entrySet()) {
      String arrived = inbox + file.getKey().substring(file.getKey().lastIndexOf('/'));
      assertThat(BigFile.checksum(desk.place().path(arrived))).isEqualTo(file.getValue());
    }
  }

  /** The agent without any client. */
  private static Held quiet() {
    return Eventually.holds(() -> Held.by(agent), held -> held.threads() == 0);
  }

  private static void assertNothingIsLeft(Held before) {
    Held after =
        Eventually.holds(
            () -> Held.by(agent),
            held ->
                held.descriptors() <= before.descriptors() && held.threads() <= before.threads());
    assertThat(after.threads()).isLessThanOrEqualTo(before.threads());
  }
}
