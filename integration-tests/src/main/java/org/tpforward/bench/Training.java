package org.tpforward.bench;

import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import org.tpforward.harness.HarnessException;
import org.tpforward.harness.Proc;

/**
 * Makes the AOT cache (JEP 483, 514 and 515) of the program: an agent is started as it is shipped
 * and given some of every kind of work, and when it ends its JVM writes what it has loaded, linked
 * and learnt. {@code Training FILE}; the file's directory must exist.
 */
public final class Training {
  /** Writing the cache is a second run of the JVM. */
  private static final Duration PATIENCE = Duration.ofMinutes(3);

  private static final int MIB = 1 << 20;

  private Training() {}

  /** Runs the program; exit status 1, and no file, if it cannot be done here. */
  public static void main(String[] arguments) {
    try {
      make(Path.of(arguments[0]).toAbsolutePath());
    } catch (HarnessException e) {
      System.err.println("training: " + e.getMessage());
      System.exit(1);
    }
  }

  private static void make(Path file) {
    try (Rig rig = Rig.open()) {
      // A heap's objects are only ever written by G1; the serial collector reads them too.
      String options = "-XX:-UseSerialGC -XX:+UseG1GC -XX:AOTCacheOutput=" + file;
      try (AgentWay agent = AgentWay.start(rig, Rig.NEAR, options)) {
        work(rig, agent);
        agent.proc().signal("TERM");
        Proc.Result result = agent.proc().await(PATIENCE);
        if (!file.toFile().exists()) {
          throw new HarnessException("no cache was written\n" + result.out() + result.err());
        }
      }
    }
  }

  private static void work(Rig rig, AgentWay agent) {
    Load load = rig.load();
    load.run("ping", agent.echo(), "1", "3000");
    load.run("ping", agent.echo(), "4096", "3000");
    load.run("connect", agent.echo(), "2000", "1");
    load.run("connect", agent.echo(), "2000", "20");
    load.run("call", agent.bus(), "3000");
    for (int streams : new int[] {1, 4}) {
      long each = 512L * MIB / streams;
      load.run(Load.arguments("get", agent.incoming(streams, each)));
      List<String> put = new ArrayList<>(List.of(Long.toString(each)));
      put.addAll(agent.outgoing(streams, each));
      load.run(Load.arguments("put", put));
    }
  }
}
