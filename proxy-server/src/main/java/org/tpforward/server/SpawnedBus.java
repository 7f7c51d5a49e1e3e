package org.tpforward.server;

import java.io.IOException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
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
  private static final long GRACE_SECONDS = 5;
  private static final long START_SECONDS = 20;

  /** As dbus-daemon's session.conf, but for where it listens and what it starts. */
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
   * @param directory is made, or emptied: this server's own
   * @param environment of the process, for where services are installed
   * @throws ServerException if there is no dbus-daemon, or no CM
   */
  static SpawnedBus start(Path directory, Map<String, String> environment) throws ServerException {
    Process daemon = null;
    try {
      remove(directory);
      Files.createDirectory(
          directory,
          PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rwx------")));
      Path services = Files.createDirectory(directory.resolve("services"));
      if (link(services, environment) == 0) {
        throw new ServerException("--spawn-bus: no connection manager is installed here");
      }
      Path config = directory.resolve("bus.conf");
      Files.writeString(config, CONFIG.formatted(directory));
      daemon =
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
      await(daemon, directory.resolve("bus"));
      return new SpawnedBus(directory, daemon);
    } catch (IOException | InterruptedException e) {
      if (daemon != null) {
        daemon.destroyForcibly();
      }
      throw new ServerException("cannot start dbus-daemon for --spawn-bus: " + e.getMessage(), e);
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
    return new Endpoint.UnixPath(directory.resolve("bus").toString());
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

  /** Of a directory that this class has made: files, links, and one directory of links. */
  private static void remove(Path directory) throws IOException {
    if (!Files.isDirectory(directory)) {
      return;
    }
    for (Path inner : List.of(directory.resolve("services"), directory)) {
      if (Files.isDirectory(inner)) {
        try (DirectoryStream<Path> entries = Files.newDirectoryStream(inner)) {
          for (Path entry : entries) {
            Files.delete(entry);
          }
        }
        Files.delete(inner);
      }
    }
  }
}
