package org.tpforward.it;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.stream.Stream;
import org.tpforward.harness.AgentProcess;

/**
 * What an agent holds of the system.
 *
 * @param descriptors those of sockets: jars, selectors and the like a JVM opens when it comes to
 *     need them, and keeps
 * @param threads those of bus clients and of streams: how many the JVM has of its own, compilers
 *     and the like, is its own affair
 */
record Held(long descriptors, long threads) {
  static Held by(AgentProcess agent) {
    Path process = Path.of("/proc/" + agent.proc().handle().pid());
    try (Stream<Path> descriptors = Files.list(process.resolve("fd"));
        Stream<Path> threads = Files.list(process.resolve("task"))) {
      return new Held(
          descriptors.filter(Held::isSocket).count(),
          threads.map(Held::name).filter(Held::isOfAClient).count());
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** The same once the agent has no client. */
  static Held withoutClients(AgentProcess agent) {
    return Eventually.holds(() -> by(agent), held -> held.threads() == 0);
  }

  /** Waits until the agent holds no more than this. */
  void awaitNoMoreBy(AgentProcess agent) {
    Held _ =
        Eventually.holds(
            () -> by(agent), now -> now.descriptors <= descriptors && now.threads <= threads);
  }

  static boolean isSocket(Path descriptor) {
    try {
      return Files.readSymbolicLink(descriptor).toString().startsWith("socket:");
    } catch (IOException e) {
      return false; // It has been closed meanwhile.
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
        || name.startsWith("OUTGOING_FILE")
        || name.startsWith("STREAM_TUBE")
        || name.startsWith("DBUS_TUBE")
        || name.startsWith("tube of ")
        || name.startsWith("serve ")
        || name.startsWith("accept STREAM")
        || name.startsWith("accept DBUS");
  }
}
