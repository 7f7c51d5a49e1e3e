package org.tpforward.loopback;

import java.nio.file.Path;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import org.tpforward.process.Logging;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

/**
 * A connection manager for tests, on a real bus with real sockets: every account that is connected
 * in this process is a contact of the others, and what one sends the other receives. It is as
 * strict as the strictest real one, and can misbehave when asked to.
 */
@Command(name = "loopback-cm", description = "A Telepathy connection manager for tests.")
public final class LoopbackCm implements Callable<Integer> {
  @Option(
      names = "--profile",
      defaultValue = "gabble",
      description = "Which sockets it offers: gabble, full, tcp-only, credentials-only.")
  private String profile = "gabble";

  @Option(
      names = "--socket-dir",
      description = "Where its Unix sockets are made, 0777 each. Default: a new directory.")
  private @Nullable Path socketDirectory;

  @Option(
      names = "--write-service",
      description = "Write a D-Bus service file with --command into this directory, and end.")
  private @Nullable Path serviceDirectory;

  @Option(
      names = "--command",
      description = "What a bus starts this with: an absolute path, arguments.")
  private @Nullable String command;

  private LoopbackCm() {}

  /** Runs until the bus goes away. Exit status 0 then, 1 where the name is taken. */
  public static void main(String[] args) {
    // dbus-java tells which transport it uses: that is no warning.
    Logging.configure(1, 0);
    System.exit(new CommandLine(new LoopbackCm()).execute(args));
  }

  @Override
  public Integer call() throws Exception {
    if (serviceDirectory != null) {
      if (command == null) {
        System.err.println("loopback-cm: --write-service needs --command");
        return 2;
      }
      ServiceFile.write(serviceDirectory, command);
      return 0;
    }
    String address = System.getenv("DBUS_STARTER_ADDRESS");
    if (address == null) {
      address = System.getenv("DBUS_SESSION_BUS_ADDRESS");
    }
    if (address == null) {
      System.err.println("loopback-cm: neither DBUS_STARTER_ADDRESS nor DBUS_SESSION_BUS_ADDRESS");
      return 1;
    }
    try (Bus bus = Bus.connect(address);
        SocketDirectory directory = SocketDirectory.open(socketDirectory)) {
      Runtime.getRuntime().addShutdownHook(new Thread(() -> CmListener.closeQuietly(directory)));
      Manager manager = new Manager(bus, Profile.of(profile), directory);
      manager.export();
      bus.requestName(Names.CM_NAME);
      bus.run();
    }
    return 0;
  }
}
