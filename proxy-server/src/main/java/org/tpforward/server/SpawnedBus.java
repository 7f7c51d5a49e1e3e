package org.tpforward.server;

import java.io.IOException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.tpforward.socket.Endpoint;

/**
 * A private dbus-daemon whose only services are connection managers. It ends with this, and the
 * kernel ends it if this process is killed: so it must be started by a thread that lives as long as
 * the process (prctl(2), PR_SET_PDEATHSIG). The CMs end with their bus.
 */
final class SpawnedBus implements AutoCloseable {
  private static final Logger log = LoggerFactory.getLogger(SpawnedBus.class);
  private static final String SERVICES = "org.freedesktop.Telepathy.ConnectionManager.*.service";
  private static final String SERVICES_DIRECTORY = "services";
  private static final String SOCKET = "bus";
  private static final String CONFIG_FILE = "bus.conf";
  private static final Set<String> OWN = Set.of(SERVICES_DIRECTORY, SOCKET, CONFIG_FILE);
  private static final long GRACE_SECONDS = 5;
  private static final long START_SECONDS = 20;

  /**
   * As dbus-daemon's session.conf, but for where it listens, what it starts, and the limits. All
   * SSH users are of one uid here: with dbus-daemon's own limits, which are for a system's bus, one
   * of them could keep the others out by 64 connections that say no Hello, or 256 that do. How many
   * one may have is counted by this server; what one connection may have is bounded here.
   */
  private static final String CONFIG =
      """
      <!DOCTYPE busconfig PUBLIC "-//freedesktop//DTD D-Bus Bus Configuration 1.0//EN"
       "http://www.freedesktop.org/standards/dbus/1.0/busconfig.dtd">
      <busconfig>
        <type>session</type>
        <listen>unix:path=%1$s/bus</listen>
        <auth>EXTERNAL</auth>
        <servicedir>%1$s/services</servicedir>
        <policy context="default">
          <allow send_destination="*" eavesdrop="true"/>
          <allow eavesdrop="true"/>
          <allow own="*"/>
        </policy>
        <limit name="max_completed_connections">100000</limit>
        <limit name="max_incomplete_connections">100000</limit>
        <limit name="max_connections_per_user">100000</limit>
        <limit name="max_pending_service_starts">10000</limit>
        <limit name="service_start_timeout">120000</limit>
        <limit name="max_match_rules_per_connection">4096</limit>
        <limit name="max_replies_per_connection">4096</limit>
      </busconfig>
      """;

  private final Path directory;
  private final Process daemon;

  private SpawnedBus(Path directory, Process daemon) {
    this.directory = directory;
    this.daemon = daemon;
  }

  /**
   * Starts one and waits until it listens.
   *
   * @param directory is made: this server's own. One that a killed server left is removed
   * @param environment of the process, for where services are installed
   * @throws ServerException if there is no dbus-daemon, or no CM
   */
  static SpawnedBus start(Path directory, Map<String, String> environment) throws ServerException {
    SpawnedBus bus = null;
    boolean started = false;
    try {
      removeLeft(directory);
      Files.createDirectory(
          directory,
          PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rwx------")));
      bus = new SpawnedBus(directory, launch(directory, environment));
      await(bus.daemon, directory.resolve(SOCKET));
      started = true;
      return bus;
    } catch (IOException | InterruptedException e) {
      throw new ServerException("cannot start dbus-daemon for --spawn-bus: " + e.getMessage(), e);
    } finally {
      if (!started && bus != null) {
        bus.close();
      }
    }
  }

  private static Process launch(Path directory, Map<String, String> environment)
      throws IOException, ServerException {
    boolean launched = false;
    try {
      Path config = directory.resolve(CONFIG_FILE);
      Files.writeString(config, CONFIG.formatted(directory));
      if (link(Files.createDirectory(directory.resolve(SERVICES_DIRECTORY)), environment) == 0) {
        throw new ServerException("--spawn-bus: no connection manager is installed here");
      }
      Process daemon =
          new ProcessBuilder(
                  "setpriv",
                  "--pdeathsig",
                  "KILL",
                  "dbus-daemon",
                  "--nofork",
                  "--nopidfile",
                  "--config-file=" + config)
              .redirectError(ProcessBuilder.Redirect.INHERIT)
              .redirectOutput(ProcessBuilder.Redirect.DISCARD)
              .start();
      launched = true;
      return daemon;
    } finally {
      if (!launched) {
        remove(directory);
      }
    }
  }

  private static void await(Process daemon, Path socket) throws IOException, InterruptedException {
    long end = System.nanoTime() + TimeUnit.SECONDS.toNanos(START_SECONDS);
    while (!Files.exists(socket)) {
      if (daemon.waitFor(20, TimeUnit.MILLISECONDS)) {
        throw new IOException("it ended with status " + daemon.exitValue());
      }
      if (System.nanoTime() > end) {
        throw new IOException("it does not listen");
      }
    }
  }

  /** Links to the service files of CMs, the first of each name, as D-Bus looks for them. */
  private static int link(Path services, Map<String, String> environment) throws IOException {
    Set<Path> names = new HashSet<>();
    for (String data : dataDirectories(environment)) {
      Path from = Path.of(data, "dbus-1", "services");
      if (!Files.isDirectory(from)) {
        continue;
      }
      try (DirectoryStream<Path> files = Files.newDirectoryStream(from, SERVICES)) {
        for (Path file : files) {
          if (names.add(file.getFileName())) {
            Files.createSymbolicLink(services.resolve(file.getFileName()), file.toAbsolutePath());
          }
        }
      }
    }
    return names.size();
  }

  /** XDG Base Directory Specification. */
  private static List<String> dataDirectories(Map<String, String> environment) {
    List<String> all = new ArrayList<>();
    String home = environment.get("XDG_DATA_HOME");
    String user = environment.get("HOME");
    if (home != null && !home.isEmpty()) {
      all.add(home);
    } else if (user != null) {
      all.add(user + "/.local/share");
    }
    String system = environment.getOrDefault("XDG_DATA_DIRS", "");
    all.addAll(List.of((system.isEmpty() ? "/usr/local/share:/usr/share" : system).split(":", -1)));
    all.removeIf(directory -> !directory.startsWith("/"));
    return all;
  }

  /** Where it listens. */
  Endpoint endpoint() {
    return new Endpoint.UnixPath(directory.resolve(SOCKET).toString());
  }

  @Override
  public void close() {
    daemon.destroy();
    try {
      if (!daemon.waitFor(GRACE_SECONDS, TimeUnit.SECONDS)) {
        daemon.destroyForcibly();
      }
      remove(directory);
    } catch (InterruptedException e) {
      daemon.destroyForcibly();
      Thread.currentThread().interrupt();
    } catch (IOException e) {
      log.warn("{} is left: {}", directory, e.toString());
    }
  }

  /**
   * Removes what a server left that was killed; its daemon the kernel has ended with it.
   *
   * @throws IOException if the directory holds anything else: it stays as it is
   */
  static void removeLeft(Path directory) throws IOException {
    if (!Files.isDirectory(directory, LinkOption.NOFOLLOW_LINKS)) {
      return;
    }
    try (DirectoryStream<Path> entries = Files.newDirectoryStream(directory)) {
      for (Path entry : entries) {
        if (!OWN.contains(String.valueOf(entry.getFileName()))) {
          throw new IOException(directory + " is somebody else's: there is " + entry);
        }
      }
    }
    remove(directory);
    log.info("removed {}, which an earlier server has left", directory);
  }

  /** Of a directory that this class has made: a socket, a file, and one directory of links. */
  private static void remove(Path directory) throws IOException {
    Path services = directory.resolve(SERVICES_DIRECTORY);
    if (Files.isDirectory(services, LinkOption.NOFOLLOW_LINKS)) {
      try (DirectoryStream<Path> links = Files.newDirectoryStream(services, SERVICES)) {
        for (Path link : links) {
          Files.delete(link);
        }
      }
      Files.delete(services);
    }
    Files.deleteIfExists(directory.resolve(SOCKET));
    Files.deleteIfExists(directory.resolve(CONFIG_FILE));
    Files.deleteIfExists(directory);
  }
}
