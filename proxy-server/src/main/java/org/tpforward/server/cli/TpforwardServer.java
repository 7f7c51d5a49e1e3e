package org.tpforward.server.cli;

import java.io.FileOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Clock;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.Callable;
import java.util.concurrent.LinkedBlockingQueue;
import org.jspecify.annotations.Nullable;
import org.tpforward.process.Signals;
import org.tpforward.server.Server;
import org.tpforward.server.ServerConfig;
import org.tpforward.server.ServerException;
import org.tpforward.server.audit.Audit;
import picocli.CommandLine;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;

/** {@code tpforward-server}: runs in the foreground until SIGTERM or SIGINT. */
@CommandLine.Command(
    name = "tpforward-server",
    description =
        "An SSH server that gives out a bus with Telepathy connection managers and the sockets that"
            + " they hand out, and nothing else of its machine.",
    versionProvider = Version.class)
public final class TpforwardServer implements Callable<Integer> {
  private final Map<String, String> environment;

  @Mixin Options options = new Options();

  @Option(
      names = {"-h", "--help"},
      usageHelp = true,
      description = "Show this help.")
  boolean help;

  @Option(
      names = {"-V", "--version"},
      versionHelp = true,
      description = "Show the version.")
  boolean version;

  TpforwardServer(Map<String, String> environment) {
    this.environment = environment;
  }

  /** The program. */
  public static void main(String[] arguments) {
    System.exit(run(arguments, System.getenv()));
  }

  /** The program, without its end. */
  static int run(String[] arguments, Map<String, String> environment) {
    List<String> all;
    try {
      all = withConfigFile(List.of(arguments));
    } catch (ServerException e) {
      Messages.error(e.getMessage());
      return ExitStatus.USAGE.status();
    }
    return commandLine(environment).execute(all.toArray(String[]::new));
  }

  private static CommandLine commandLine(Map<String, String> environment) {
    CommandLine root =
        new CommandLine(new TpforwardServer(environment))
            .addSubcommand("check", new CheckCommand(environment));
    root.setOverwrittenOptionsAllowed(true);
    root.setParameterExceptionHandler(TpforwardServer::usage);
    for (CommandLine command : List.of(root, root.getSubcommands().get("check"))) {
      command
          .getCommandSpec()
          .usageMessage()
          .exitCodeListHeading("%nExit status:%n")
          .exitCodeList(ExitStatus.list())
          .sortOptions(false)
          .abbreviateSynopsis(true);
    }
    return root;
  }

  /** The file's options come first, so that the command line's win. */
  private static List<String> withConfigFile(List<String> arguments) throws ServerException {
    List<String> all = new ArrayList<>();
    List<String> rest = new ArrayList<>(arguments);
    if (!rest.isEmpty() && rest.getFirst().equals("check")) {
      all.add(rest.removeFirst());
    }
    for (int i = 0; i < rest.size(); i++) {
      if (rest.get(i).startsWith("--config=")) {
        all.addAll(ConfigFile.read(Path.of(rest.get(i).substring("--config=".length()))));
      } else if (rest.get(i).equals("--config") && i + 1 < rest.size()) {
        all.addAll(ConfigFile.read(Path.of(rest.get(i + 1))));
      }
    }
    all.addAll(rest);
    return all;
  }

  private static int usage(ParameterException e, String[] arguments) {
    Messages.error(e.getMessage() + "; see: tpforward-server --help");
    return ExitStatus.USAGE.status();
  }

  /** {@code --bus} if it is not given. */
  static @Nullable String defaultBus(Map<String, String> environment) {
    String runtime = environment.get("XDG_RUNTIME_DIR");
    if (runtime != null && Files.exists(Path.of(runtime, "bus"))) {
      return runtime + "/bus";
    }
    return environment.get("DBUS_SESSION_BUS_ADDRESS");
  }

  @Override
  public Integer call() throws InterruptedException {
    options.configureLogging();
    ServerConfig config;
    try {
      config = options.toConfig(defaultBus(environment));
    } catch (ServerException e) {
      Messages.error(e.getMessage());
      return ExitStatus.USAGE.status();
    }
    BlockingQueue<String> signals = new LinkedBlockingQueue<>();
    Signals.handle(List.of("TERM", "INT", "HUP"), signal -> signals.add(signal.name()));
    try (Audit audit = new Audit(auditOut(options.audit), Clock.systemUTC());
        Server server = Server.start(config, audit, environment)) {
      server.fingerprints().forEach(print -> Messages.tell("host key " + print));
      Messages.tell("listening on port " + server.port());
      serve(server, signals);
      return ExitStatus.OK.status();
    } catch (ServerException | IOException e) {
      Messages.error(e.getMessage());
      return ExitStatus.CANNOT_START.status();
    }
  }

  private static void serve(Server server, BlockingQueue<String> signals)
      throws InterruptedException {
    while (signals.take().equals("HUP")) {
      server.reload();
    }
    Messages.tell("ending");
    Thread drain = Thread.ofPlatform().name("drain").start(() -> drain(server));
    // A second signal ends the wait.
    Thread second =
        Thread.ofPlatform()
            .daemon()
            .start(() -> {
              try {
                String next = signals.take();
                while (next.equals("HUP")) {
                  next = signals.take();
                }
                drain.interrupt();
              } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
              }
            });
    drain.join();
    second.interrupt();
  }

  private static void drain(Server server) {
    try {
      server.drain();
    } catch (InterruptedException e) {
      server.close();
    }
  }

  private static OutputStream auditOut(@Nullable Path file) throws ServerException {
    if (file == null) {
      return System.out;
    }
    try {
      if (!Files.exists(file)) {
        Files.createFile(
            file,
            PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rw-------")));
      }
      return new FileOutputStream(file.toFile(), true);
    } catch (IOException e) {
      throw new ServerException("the audit cannot be written to " + file + ": " + e, e);
    }
  }
}
